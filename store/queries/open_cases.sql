SELECT version, body FROM alerts FINAL
WHERE state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
ORDER BY id
