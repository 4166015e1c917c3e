-- Cases opened in a period, by partner and kind; exercises and imported evidence are no statistics.
SELECT CAST(partner, 'String'), CAST(kind, 'String'), count()
FROM alerts FINAL
WHERE exercise = 0
  AND opened_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND opened_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY partner, kind
ORDER BY partner, kind
