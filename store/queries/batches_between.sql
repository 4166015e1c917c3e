-- Batches that watched anything between two seconds.
SELECT ?fields FROM batch_ledger
WHERE first < toDateTime({end:UInt64}, 'UTC') AND last_end > toDateTime({start:UInt64}, 'UTC')
ORDER BY sensor, first, epoch, sequence
