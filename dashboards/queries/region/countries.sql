SELECT uniqExactIf(country, country != '') AS seen
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
