-- Transitions of one partner's cases in the order recorded, as in alert_changes.sql.
SELECT toUnixTimestamp64Micro(recorded_at) AS recorded, version, body
FROM alert_history
WHERE recorded_at >= fromUnixTimestamp64Micro({recorded_at:Int64}, 'UTC')
  AND recorded_at < now64(6) - toIntervalSecond(1)
  AND partner = {partner:String}
  AND (toUnixTimestamp64Micro(recorded_at), id, version) > ({recorded_at:Int64}, {id:UUID}, {version:UInt64})
ORDER BY recorded_at, id, version
LIMIT {limit:UInt32}
