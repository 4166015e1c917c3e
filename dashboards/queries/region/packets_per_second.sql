SELECT sum(packets) / greatest(1, toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime)) AS rate
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
