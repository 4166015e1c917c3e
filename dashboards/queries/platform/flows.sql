SELECT sum(flows) / greatest(1, dateDiff('second', $__fromTime, $__toTime)) AS flows
FROM batch_ledger
WHERE last_end > $__fromTime AND first < $__toTime
