-- What each sensor reported, bin by bin.
SELECT
    toString(sensor) AS name,
    toUInt64(intDiv(toUInt64(toUnixTimestamp(minute)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(sum(health.packets)) AS seen
FROM sensor_health AS health
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
GROUP BY sensor, bin
ORDER BY name, bin
LIMIT 100000
