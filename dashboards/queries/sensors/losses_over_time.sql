-- Sensors report losses as totals of their run; the difference to the minute before is what was lost.
-- A day is read before the range, so that the first minute of the range has one before it.
SELECT $__timeInterval(minute) AS time, reason, sum(lost) AS losses
FROM
(
    SELECT
        minute,
        reason,
        total - lagInFrame(total, 1, toUInt64(0)) OVER
        (
            PARTITION BY sensor, epoch, reason ORDER BY minute
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS lost
    FROM
    (
        SELECT minute, sensor, epoch, maxMap(epoch_losses) AS totals
        FROM sensor_health
        WHERE minute >= $__fromTime - INTERVAL 1 DAY AND minute <= $__toTime AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
        GROUP BY minute, sensor, epoch
    )
    ARRAY JOIN mapKeys(totals) AS reason, mapValues(totals) AS total
)
WHERE $__timeFilter(minute)
GROUP BY time, reason
ORDER BY time, reason
