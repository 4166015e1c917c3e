-- What a partner's report of a period counts: its cases that were seen within it, in their last state;
-- what was seen of one after the period is not of it.
-- Exercises and what the centre took back are no statistics; imported evidence stands elsewhere.
SELECT
    CAST(alerts.kind, 'String') AS kind, CAST(alerts.state, 'String') AS state, CAST(alerts.severity, 'String') AS severity, subject,
    JSONExtractUInt(body, 'subject', 'asn') AS asn, JSONExtractString(body, 'evidence', 'fingerprint') AS family,
    toUnixTimestamp64Milli(alerts.first_seen) AS first_ms, least(toUnixTimestamp64Milli(alerts.last_seen), {until:Int64}) AS last_ms
FROM alerts FINAL
WHERE partner = {partner:String} AND exercise = 0
  AND alerts.last_seen >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND alerts.first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
ORDER BY detected_at, id
LIMIT {limit:UInt32}
