SELECT toUnixTimestamp64Milli(max(added)) FROM stix_objects
