-- The wall clock of the store, in milliseconds since 1970.
SELECT toUnixTimestamp64Milli(now64(3))
