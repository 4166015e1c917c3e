SELECT
    $__timeInterval(opened_at) AS time,
    if(partner = '', 'nobody''s', partner) AS whose,
    count() AS opened
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind = 'infected_host'
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
GROUP BY time, whose
ORDER BY time, whose
