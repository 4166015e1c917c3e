-- What was handed over from shift to shift, the newest first.
SELECT toInt64(toUnixTimestamp64Milli(at)) AS said_at, toString(who) AS by, action, purpose
FROM audit
WHERE action = 'console hand-over' OR startsWith(action, 'console hand-over ')
ORDER BY audit.at DESC, action DESC
LIMIT {limit:UInt32}
