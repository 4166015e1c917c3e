-- High cases that one channel told of since then, and when first; without those that the asking
-- channel has told of.
SELECT toString(`case`) AS of, toUnixTimestamp64Milli(min(planned_at)) AS told_at
FROM deliveries FINAL
WHERE partner = {partner:String} AND channel = {channel:String} AND form = 'single' AND severity = 'high'
  AND event IN ('opened', 'raised', 'reopened')
  AND planned_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND `case` GLOBAL NOT IN (SELECT `case` FROM deliveries WHERE partner = {partner:String} AND channel = {asking:String})
GROUP BY `case`
ORDER BY told_at, of
LIMIT {limit:UInt32}
