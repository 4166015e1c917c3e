SELECT 100 * uniqCombinedMergeIf(sources, country = ${place:singlequote}) / greatest(1, uniqCombinedMerge(sources)) AS share
FROM place_rollup FINAL
WHERE $__timeFilter(start)
  AND known_scanner <= ${scanners}
  AND is_scan
