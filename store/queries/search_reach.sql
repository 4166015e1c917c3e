-- Before which second there are more flow tuples, up to the end, than may be searched through: by the minutes in which
-- batches ended; 0 where there are not so many. Of one sensor only its own are read, and the granules around each batch.
SELECT toUInt64(least(
    maxIf(minute + 60, reached > {rows_max:UInt64}),
    maxIf(minute + 60, {sensor:String} = '' OR of_sensor > {rows_max:UInt64}))) AS before
FROM
(
    SELECT
        toUInt64(toUnixTimestamp(toStartOfMinute(last_end - 1))) AS minute,
        sum(sum(flows)) OVER (ORDER BY minute DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached,
        sum(sumIf(flows + {beside:UInt64}, sensor = {sensor:String}))
            OVER (ORDER BY minute DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS of_sensor
    FROM batch_ledger
    WHERE last_end > toDateTime({start:UInt64}, 'UTC') AND first < toDateTime({end:UInt64}, 'UTC')
    GROUP BY minute
)
