SELECT time, week, seen
FROM
(
    SELECT start AS time, 'now' AS week, uniqCombinedMerge(sources) AS seen
    FROM ${grain} FINAL
    WHERE $__timeFilter(start)
      AND transport = splitByChar('/', ${service:singlequote})[1]
      AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY time
    UNION ALL
    SELECT start + INTERVAL 7 DAY AS time, 'a week before' AS week, uniqCombinedMerge(sources) AS seen
    FROM ${grain} FINAL
    WHERE start >= $__fromTime - INTERVAL 7 DAY AND start <= $__toTime - INTERVAL 7 DAY
      AND transport = splitByChar('/', ${service:singlequote})[1]
      AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY time
)
ORDER BY time, week
