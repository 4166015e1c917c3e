SELECT uniqCombinedMerge(sources) AS seen
FROM places(from = $__fromTime, to = $__toTime)
WHERE $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
