SELECT
    $__timeInterval(minute) AS time,
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'scan')) AS scanning,
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'backscatter')) AS answering
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY time
ORDER BY time
