-- Cases with which this was done at an instant or later, and which the centre did not take back.
SELECT DISTINCT toString(id) FROM case_steps
WHERE event = {event:String} AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
ORDER BY id
