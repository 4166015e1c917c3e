-- Who looked at the single sources of one partner, the newest first.
SELECT toInt64(toUnixTimestamp64Milli(at)) AS seen_at, toString(who) AS by, action, purpose
FROM audit
WHERE startsWith(action, concat('console view ', {partner:String}, ' '))
ORDER BY at DESC
LIMIT {limit:UInt32}
