-- Sensors report losses as totals of their run; the difference to the step before is what was lost. The day before the range
-- is one step, so that its first step has one before it.
SELECT time, reason, sum(lost) AS losses
FROM
(
    SELECT
        time,
        reason,
        total - lagInFrame(total, 1, toUInt64(0)) OVER
        (
            PARTITION BY sensor, epoch, reason ORDER BY time
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS lost
    FROM
    (
        SELECT
            if(minute < $__fromTime, toDateTime(0, 'UTC'), $__timeInterval(minute)) AS time,
            sensor, epoch, maxMap(epoch_losses) AS totals
        FROM sensor_health
        WHERE minute >= $__fromTime - INTERVAL 1 DAY AND minute <= $__toTime AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
        GROUP BY time, sensor, epoch
    )
    ARRAY JOIN mapKeys(totals) AS reason, mapValues(totals) AS total
)
WHERE time > toDateTime(0, 'UTC')
GROUP BY time, reason
ORDER BY time, reason
