-- Which of these batches are part of the minute rollup.
SELECT b.1 AS sensor, b.2 AS epoch, b.3 AS sequence
FROM (SELECT arrayJoin({batches:Array(Tuple(String, UInt64, UInt64))}) AS b)
WHERE cityHash64(sensor, epoch, sequence) IN
    (SELECT arrayJoin(batches) FROM minute_rollup
     WHERE minute IN (SELECT toDateTime(arrayJoin({minutes:Array(UInt64)}), 'UTC')))
