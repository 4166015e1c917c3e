-- What these sensors watched between two seconds, in addresses × seconds. Parts of one busy interval
-- are several batches and one stretch.
SELECT toFloat64(sum(toFloat64(telescope_addresses) * arraySum((first, end) ->
    greatest(0, least(toInt64(toUnixTimestamp(end)), toInt64({end:UInt64})) - greatest(toInt64(toUnixTimestamp(first)), toInt64({start:UInt64}))),
    span_first, span_end)))
FROM
(
    SELECT DISTINCT sensor, span_first, span_end, telescope_addresses
    FROM batch_ledger
    WHERE sensor IN {sensors:Array(String)}
      AND first < toDateTime({end:UInt64}, 'UTC') AND last_end > toDateTime({start:UInt64}, 'UTC')
)
