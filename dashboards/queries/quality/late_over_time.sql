-- Later than a minute after its end: too late for a surge, in time for a host.
SELECT
    $__timeInterval(minute) AS time,
    sensor,
    100 * countIf(lag_seconds > 60) / count() AS late
FROM sensor_health
WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
GROUP BY time, sensor
ORDER BY time, sensor
