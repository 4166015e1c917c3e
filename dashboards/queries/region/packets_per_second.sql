SELECT sum(packets) / greatest(1, toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime)) AS rate
FROM places(from = $__fromTime, to = $__toTime)
WHERE $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
