SELECT
    start AS time,
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'scan')) AS scanning,
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'backscatter')) AS answering
FROM ten_minute_rollup FINAL
WHERE $__timeFilter(start)
  AND country = ${place:singlequote}
  AND known_scanner <= ${scanners}
GROUP BY time
ORDER BY time
