SELECT uniqCombinedMerge(sources) AS answering
FROM place_rollup FINAL
WHERE $__timeFilter(start)
  AND is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
