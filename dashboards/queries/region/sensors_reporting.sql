SELECT countIf(through >= $__toTime - INTERVAL 5 MINUTE) AS reporting
FROM
(
    SELECT sensor, max(complete_through) AS through
    FROM sensor_health
    WHERE minute >= $__fromTime - INTERVAL 5 MINUTE AND minute <= $__toTime
    GROUP BY sensor
)
