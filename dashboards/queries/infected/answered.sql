SELECT 100 * countIf(id GLOBAL IN (SELECT id FROM case_steps WHERE event IN ('acknowledge', 'notify', 'clean', 'resolve', 'disown', 'refute')))
    / greatest(1, count()) AS answered
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind = 'infected_host'
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
