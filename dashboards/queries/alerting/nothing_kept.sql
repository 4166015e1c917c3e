-- Seconds since the store kept its last batch; 0 where it never had one.
SELECT if(count() = 0, 0, dateDiff('second', max(kept_at), now64(3))) AS seconds
FROM batch_ledger
WHERE kept_at >= now() - INTERVAL 7 DAY
