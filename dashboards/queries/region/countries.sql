SELECT uniqExactIf(country, country != '') AS seen
FROM places(from = $__fromTime, to = $__toTime)
WHERE $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
