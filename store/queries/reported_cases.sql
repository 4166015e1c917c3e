-- What a partner's report of a period counts: its cases that were seen within it, by the days on which they were. What was
-- seen of one later is not of it; that it was seen later leaves it open. Severity, and whether it is over, are of today.
-- Exercises and what the centre took back are no statistics; imported evidence stands elsewhere.
SELECT
    CAST(alerts.kind, 'String') AS kind,
    if(alerts.last_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC'), CAST(alerts.state, 'String'), 'continuing') AS state,
    CAST(alerts.severity, 'String') AS severity, subject,
    JSONExtractUInt(body, 'subject', 'asn') AS asn, JSONExtractString(body, 'evidence', 'fingerprint') AS family,
    toUnixTimestamp64Milli(alerts.opened_at) AS opened_ms, toUnixTimestamp64Milli(alerts.first_seen) AS first_ms, toUnixTimestamp64Milli(seen.last) AS last_ms, seen.days AS days
FROM
(
    SELECT id, kind, state, severity, subject, body, opened_at, first_seen, last_seen, detected_at FROM alerts FINAL
    WHERE partner = {partner:String} AND exercise = 0
      AND alerts.last_seen >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND alerts.first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
      AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
) AS alerts
GLOBAL INNER JOIN
(
    SELECT id, max(observations.last) AS last, arraySort(groupUniqArray(toUInt64(toUInt16(day)))) AS days
    FROM observations FINAL
    WHERE partner = {partner:String}
      AND day >= toDate(fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AND day < toDate(fromUnixTimestamp64Milli({until:Int64}, 'UTC'))
    GROUP BY id
) AS seen ON alerts.id = seen.id
ORDER BY detected_at, alerts.id
LIMIT {limit:UInt32}
