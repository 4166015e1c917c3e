-- Those of a tally's cases with which anything was done.
SELECT toString(id), CAST(partner, 'String'), CAST(kind, 'String')
FROM alerts FINAL
WHERE exercise = 0
  AND opened_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND opened_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND id GLOBAL IN (SELECT id FROM case_steps)
ORDER BY id
