SELECT
    $__timeInterval(minute) AS time,
    toString(traffic) AS class,
    sum(packets) / $__interval_s AS rate
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY time, class
ORDER BY time, class
