SELECT uniqCombinedMerge(sources) AS answering
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND startsWith(toString(traffic), 'backscatter')
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
