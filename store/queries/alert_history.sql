SELECT version, body, toUnixTimestamp64Milli(at) AS at_ms, by, note
FROM alert_history FINAL
WHERE id = {id:UUID}
ORDER BY version
