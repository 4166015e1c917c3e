SELECT
    $__timeInterval(opened_at) AS time,
    kind,
    count() AS opened
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND country = ${place:singlequote}
GROUP BY time, kind
ORDER BY time, kind
