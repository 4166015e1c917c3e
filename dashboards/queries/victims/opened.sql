SELECT count() AS opened
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind IN ('ddos_victim', 'reflection_victim')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
