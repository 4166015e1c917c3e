SELECT time, sum(watched) AS addresses, count() AS sensors
FROM
(
    SELECT $__timeInterval(minute) AS time, sensor, max(telescope_addresses) AS watched
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY time, sensor
)
GROUP BY time
ORDER BY time
