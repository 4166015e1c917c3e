-- Maintenance that was not over at an instant, by sensor and time.
SELECT toString(id), sensor, toUnixTimestamp64Milli(from) AS from_ms, toUnixTimestamp64Milli(until) AS until_ms, by, reason
FROM maintenance FINAL
WHERE until >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY sensor, from, id
