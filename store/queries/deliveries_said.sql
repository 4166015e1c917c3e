-- What one channel said last of these cases.
SELECT toString(`case`) AS of, argMax(event, (recorded, id)), argMax(severity, (recorded, id))
FROM deliveries FINAL
WHERE partner = {partner:String} AND channel = {channel:String} AND `case` IN {cases:Array(UUID)}
GROUP BY `case`
