SELECT
    start AS time,
    toString(traffic) AS class,
    sum(ten_minute_rollup.packets) / 600 AS rate
FROM ten_minute_rollup FINAL
WHERE $__timeFilter(start)
  AND startsWith(toString(traffic), 'backscatter')
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY time, class
ORDER BY time, class
