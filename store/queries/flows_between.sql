-- How many flows the batches have that watched anything between two seconds.
SELECT sum(flows) FROM batch_ledger
WHERE first < toDateTime({end:UInt64}, 'UTC') AND last_end > toDateTime({start:UInt64}, 'UTC')
