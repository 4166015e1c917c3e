-- What was done with one partner's cases between two instants: cases by event.
SELECT CAST(event, 'String') AS done, toUInt64(uniqExact(id)) AS cases
FROM case_steps
WHERE partner = {partner:String}
  AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY done
ORDER BY done
