-- From what was examined to what live sensors have reported; 0 where nothing came lately.
SELECT if(count() = 0, 0, greatest(0, dateDiff('second', (SELECT max(position) FROM analyzer_position), max(complete_through)))) AS behind
FROM batch_ledger
WHERE kept_at >= now() - INTERVAL 10 MINUTE AND last_end >= now() - INTERVAL 1 HOUR
