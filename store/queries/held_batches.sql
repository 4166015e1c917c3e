-- Which of these batches the ledger has, and which have raw rows.
SELECT sensor, epoch, sequence, checksum, toUInt8(1) AS ledger
FROM batch_ledger
WHERE (sensor, epoch, sequence) IN
    (SELECT b.1, b.2, b.3 FROM (SELECT arrayJoin({batches:Array(Tuple(String, UInt64, UInt64))}) AS b))
UNION ALL
SELECT sensor, epoch, sequence, toUInt64(0) AS checksum, toUInt8(0) AS ledger
FROM flow_tuples
WHERE (interval, sensor) IN
    (SELECT toDateTime(p.1, 'UTC'), p.2 FROM (SELECT arrayJoin({places:Array(Tuple(UInt64, String))}) AS p))
  AND head = 1
  AND (sensor, epoch, sequence) IN
    (SELECT b.1, b.2, b.3 FROM (SELECT arrayJoin({batches:Array(Tuple(String, UInt64, UInt64))}) AS b))
