-- Messages of one partner and feed in a state that are due within a time, the longest due first.
SELECT toString(id) AS message, toString(case) AS case, CAST(deliveries.what, 'String') AS what, CAST(deliveries.state, 'String') AS state,
       toUnixTimestamp64Milli(planned_at) AS planned_ms, attempt, toUnixTimestamp64Milli(next_at) AS next_ms, error
FROM deliveries FINAL
WHERE partner = {partner:String} AND feed = {feed:String}
  AND deliveries.state = {state:String} AND next_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND next_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
ORDER BY next_at, planned_at, id
LIMIT {limit:UInt32}
