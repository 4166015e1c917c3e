-- Transitions in the order recorded. Those of the last second wait, because one recorded earlier
-- may become visible later.
SELECT toUnixTimestamp64Micro(recorded_at) AS recorded, version, body
FROM alert_history
WHERE recorded_at >= fromUnixTimestamp64Micro({recorded_at:Int64}, 'UTC')
  AND recorded_at < now64(6) - toIntervalSecond(1)
  AND (toUnixTimestamp64Micro(recorded_at), id, version) > ({recorded_at:Int64}, {id:UUID}, {version:UInt64})
ORDER BY recorded_at, id, version
LIMIT {limit:UInt32}
