SELECT
    start AS time,
    toString(traffic) AS class,
    sum(packets)
        / transform('${grain}', ['ten_minute_rollup', 'hour_rollup'], [600, 3600], 86400) AS rate
FROM ${grain} FINAL
WHERE $__timeFilter(start)
  AND transport = splitByChar('/', ${service:singlequote})[1]
  AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY time, class
ORDER BY time, class
