SELECT toUInt8(count() > 0) FROM stix_objects WHERE partner = {partner:String} AND id = {id:String}
