SELECT count() AS open
FROM alerts FINAL
WHERE state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND country = ${place:singlequote}
