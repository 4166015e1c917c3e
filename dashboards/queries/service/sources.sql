SELECT uniqCombinedMerge(sources) AS seen
FROM ${grain} FINAL
WHERE $__timeFilter(start)
  AND transport = splitByChar('/', ${service:singlequote})[1]
  AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
  AND is_scan
