SELECT
    $__timeInterval(minute) AS time,
    sensor,
    max(lag_seconds) AS lag
FROM sensor_health
WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
GROUP BY time, sensor
ORDER BY time, sensor
