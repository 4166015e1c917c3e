-- The same of all other partners together: counts alone, and how many partners they are of.
SELECT CAST(alerts.kind, 'String') AS kind, uniqExact(partner) AS partners, count() AS cases
FROM alerts FINAL
WHERE partner NOT IN ('', {partner:String}) AND exercise = 0
  AND last_seen >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND id GLOBAL IN
  (
      SELECT id FROM observations
      WHERE day >= toDate(fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AND day < toDate(fromUnixTimestamp64Milli({until:Int64}, 'UTC'))
  )
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
GROUP BY kind
ORDER BY kind
