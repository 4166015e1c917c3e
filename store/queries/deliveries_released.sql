-- When one channel's messages were first tried, of late: the first of all, and those about many.
SELECT toUnixTimestamp64Milli(released_at) AS at, form
FROM deliveries FINAL
WHERE partner = {partner:String} AND channel = {channel:String} AND state != 'folded'
  AND released_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY at
