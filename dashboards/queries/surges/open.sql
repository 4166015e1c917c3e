SELECT count() AS open
FROM alerts FINAL
WHERE kind IN ('scan_surge', 'new_service')
  AND state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
