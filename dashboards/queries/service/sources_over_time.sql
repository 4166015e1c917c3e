SELECT
    start AS time,
    uniqCombinedMergeIf(sources, known_scanner = 0) AS "other sources",
    uniqCombinedMergeIf(sources, known_scanner = 1) AS "known scanners"
FROM ${grain} FINAL
WHERE $__timeFilter(start)
  AND transport = splitByChar('/', ${service:singlequote})[1]
  AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
  AND is_scan
GROUP BY time
ORDER BY time
