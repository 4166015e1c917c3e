-- How far the analyzer is behind the newest batch: it waits half an interval for laggards.
SELECT greatest(0, dateDiff('second',
    (SELECT max(position) FROM analyzer_position),
    (SELECT max(complete_through) FROM batch_ledger WHERE last_end > $__fromTime AND first < $__toTime))) AS behind
