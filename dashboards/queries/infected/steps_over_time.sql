SELECT
    $__timeInterval(at) AS time,
    event,
    uniqExact(id) AS cases
FROM case_steps FINAL
WHERE $__timeFilter(at)
  AND event NOT IN ('note', 'withdraw')
  AND id GLOBAL IN (SELECT id FROM alerts WHERE kind = 'infected_host' AND exercise = 0)
  AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
GROUP BY time, event
ORDER BY time, event
