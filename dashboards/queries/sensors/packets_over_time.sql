SELECT
    $__timeInterval(minute) AS time,
    sensor,
    sum(packets) / $__interval_s AS rate
FROM sensor_health
WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
GROUP BY time, sensor
ORDER BY time, sensor
