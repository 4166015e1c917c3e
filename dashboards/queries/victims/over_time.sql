SELECT
    $__timeInterval(opened_at) AS time,
    if(country = '', 'unknown', country) AS place,
    count() AS attacks
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind IN ('ddos_victim', 'reflection_victim')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
GROUP BY time, place
ORDER BY time, place
