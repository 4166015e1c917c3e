SELECT
    $__timeInterval(opened_at) AS time,
    kind,
    count() AS opened
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND state != 'withdrawn'
  AND exercise = 0
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY time, kind
ORDER BY time, kind
