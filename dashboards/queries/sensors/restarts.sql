SELECT sum(runs - 1) AS restarts
FROM
(
    SELECT sensor, uniqExact(epoch) AS runs
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor
)
