SELECT count() AS open
FROM alerts FINAL
WHERE kind = 'infected_host'
  AND state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
