-- Changes of one partner's cases in the order recorded: what the analyzer says, what people do.
-- Those of the last second wait, because one recorded earlier may become visible later. A person's
-- step has no body: whoever asks shows the case as it stands.
SELECT recorded, toString(id) AS case, version, body
FROM
(
    SELECT toUnixTimestamp64Micro(recorded_at) AS recorded, id, version, body
    FROM alert_history
    WHERE partner = {partner:String} AND recorded_at >= fromUnixTimestamp64Micro({recorded_at:Int64}, 'UTC') AND recorded_at < now64(6) - toIntervalSecond(1)
    UNION ALL
    SELECT toUnixTimestamp64Micro(recorded_at) AS recorded, id, bitOr(cityHash64(step), bitShiftLeft(toUInt64(1), 63)) AS version, '' AS body
    FROM case_steps
    WHERE partner = {partner:String} AND recorded_at >= fromUnixTimestamp64Micro({recorded_at:Int64}, 'UTC') AND recorded_at < now64(6) - toIntervalSecond(1)
      AND event != 'note'
    UNION ALL
    SELECT toUnixTimestamp64Micro(recorded_at) AS recorded, id, version, body
    FROM notices
    WHERE partner = {partner:String} AND recorded_at >= fromUnixTimestamp64Micro({recorded_at:Int64}, 'UTC') AND recorded_at < now64(6) - toIntervalSecond(1)
)
WHERE (recorded, id, version) > ({recorded_at:Int64}, {id:UUID}, {version:UInt64})
ORDER BY recorded, id, version
LIMIT {limit:UInt32}
