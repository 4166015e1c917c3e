SELECT DISTINCT toString(id) FROM case_steps
WHERE event = 'withdraw' AND recorded_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
