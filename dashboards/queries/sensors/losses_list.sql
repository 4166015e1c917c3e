SELECT
    sensor,
    reason,
    sum(total) AS losses
FROM
(
    SELECT sensor, epoch, maxMap(epoch_losses) AS totals
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor, epoch
)
ARRAY JOIN mapKeys(totals) AS reason, mapValues(totals) AS total
GROUP BY sensor, reason
HAVING losses > 0
ORDER BY losses DESC, sensor, reason
LIMIT 200
