-- What was seen of these cases, day by day.
SELECT toString(id) AS id, toUInt64(toUInt16(day)) AS day, partner, packets, targets,
       toUnixTimestamp64Milli(first) AS first_ms, toUnixTimestamp64Milli(last) AS last_ms,
       CAST(sensors, 'Array(String)') AS sensors
FROM observations FINAL
WHERE observations.id IN {ids:Array(UUID)}
ORDER BY observations.id, observations.day
