-- What one partner's machines were answered, path by path, and when last: answers that bore something.
SELECT
    cutQueryString(splitByChar(' ', action)[2]) AS path,
    toInt64(toUnixTimestamp64Milli(max(at))) AS last_ms
FROM audit
WHERE who = {who:String} AND startsWith(action, 'GET /')
  AND (endsWith(action, ' 200') OR endsWith(action, ' 304') OR endsWith(action, ' 206'))
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY path
ORDER BY last_ms DESC, path
LIMIT {limit:UInt32}
