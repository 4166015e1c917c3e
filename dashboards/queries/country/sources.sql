SELECT uniqCombinedMerge(sources) AS seen
FROM place_rollup FINAL
WHERE $__timeFilter(start)
  AND country = ${place:singlequote}
  AND known_scanner <= ${scanners}
  AND is_scan
