-- When something of one partner and feed is due next; nothing where nothing waits.
SELECT toUnixTimestamp64Milli(min(next_at)) AS next_ms
FROM deliveries FINAL
WHERE partner = {partner:String} AND feed = {feed:String} AND state IN ('waiting', 'digest')
HAVING count() > 0
