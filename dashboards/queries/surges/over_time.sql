SELECT
    $__timeInterval(opened_at) AS time,
    reason_code AS rule,
    count() AS opened
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind IN ('scan_surge', 'new_service')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
GROUP BY time, rule
ORDER BY time, rule
