-- Which of these batches the ledger has, and which have raw rows. One thread: it reads a few
-- granules, and spreading them costs more than reading them.
SELECT sensor, epoch, sequence, checksum, toUInt8(1) AS ledger
FROM batch_ledger
WHERE (sensor, epoch, sequence) IN {batches:Array(Tuple(String, UInt64, UInt64))}
UNION ALL
SELECT sensor, epoch, sequence, toUInt64(0) AS checksum, toUInt8(0) AS ledger
FROM flow_tuples
WHERE (interval, sensor) IN {places:Array(Tuple(DateTime('UTC'), String))}
  AND head = 1
  AND (sensor, epoch, sequence) IN {batches:Array(Tuple(String, UInt64, UInt64))}
SETTINGS max_threads = 1
