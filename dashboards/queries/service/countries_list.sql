SELECT
    if(country = '', 'unknown', country) AS place,
    uniqCombinedMergeIf(sources, is_scan) AS "scanning sources",
    uniqCombinedMergeIf(networks, is_scan) AS "scanning /24s",
    uniqCombinedMergeIf(sources, is_backscatter) AS "answering sources",
    sum(packets) AS "packets seen",
    min(start) AS "first",
    max(start) AS "last"
FROM ${grain} FINAL
WHERE $__timeFilter(start)
  AND transport = splitByChar('/', ${service:singlequote})[1]
  AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY place
ORDER BY "scanning sources" DESC, place
LIMIT 250
