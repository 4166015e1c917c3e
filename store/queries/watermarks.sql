-- How far each sensor has come that was heard of since a second.
SELECT
    sensor,
    toUInt64(toUnixTimestamp(max(sensor_health.complete_through))) AS complete_through,
    toUnixTimestamp64Milli(max(sensor_health.kept_at)) AS kept_at,
    argMax(sensor_health.telescope_addresses, sensor_health.complete_through) AS addresses
FROM sensor_health
WHERE minute >= toDateTime({since:UInt64}, 'UTC')
GROUP BY sensor
ORDER BY sensor
