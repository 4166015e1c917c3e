-- Batches by the wall time at which the ledger got them.
SELECT ?fields FROM batch_ledger
WHERE kept_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND kept_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
ORDER BY kept_at, sensor, epoch, sequence
