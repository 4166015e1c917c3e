SELECT count() AS open
FROM alerts FINAL
WHERE kind IN ('ddos_victim', 'reflection_victim')
  AND state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
