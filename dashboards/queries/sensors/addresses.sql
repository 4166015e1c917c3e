SELECT sum(watched) AS addresses
FROM
(
    SELECT sensor, argMax(telescope_addresses, minute) AS watched
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor
)
