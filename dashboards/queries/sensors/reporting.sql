SELECT countIf(through >= $__toTime - INTERVAL 5 MINUTE) AS reporting
FROM
(
    SELECT sensor, max(complete_through) AS through
    FROM sensor_health
    WHERE minute >= $__fromTime - INTERVAL 5 MINUTE AND minute <= $__toTime AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor
)
