SELECT uniqCombinedMerge(networks) AS seen
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND country = ${place:singlequote}
  AND known_scanner <= ${scanners}
  AND startsWith(toString(traffic), 'scan')
