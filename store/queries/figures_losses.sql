-- What each sensor lost, by reason: totals of the processes that reported, as in the figures of health.
SELECT name, reason, toUInt64(sum(lost_of_epoch)) AS lost
FROM
(
    SELECT toString(sensor) AS name, epoch, maxMap(epoch_losses) AS losses
    FROM sensor_health
    WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
    GROUP BY sensor, epoch
)
ARRAY JOIN mapKeys(losses) AS reason, mapValues(losses) AS lost_of_epoch
WHERE lost_of_epoch > 0
GROUP BY name, reason
ORDER BY name, lost DESC, reason
LIMIT 100000
