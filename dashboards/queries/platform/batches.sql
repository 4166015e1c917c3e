SELECT count() / greatest(1, dateDiff('second', $__fromTime, $__toTime)) * 60 AS batches
FROM batch_ledger
WHERE kept_at >= now() - INTERVAL 30 DAY AND last_end > $__fromTime AND first < $__toTime
