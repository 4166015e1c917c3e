-- What sensors said of themselves when they came last.
SELECT toString(sensor) AS name, toInt64(toUnixTimestamp64Milli(at)) AS at_ms, version, clock_ahead
FROM sensor_hellos FINAL
ORDER BY name
LIMIT {limit:UInt32}
