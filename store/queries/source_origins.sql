-- What was known of one address whenever its packets were kept.
SELECT DISTINCT toString(flow.partner) AS owner, flow.asn AS number, toString(flow.country) AS code
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.source = toIPv6({source:String})
UNION DISTINCT
SELECT DISTINCT toString(kept.partner), kept.asn, toString(kept.country)
FROM hourly_sources AS kept
WHERE kept.source = toIPv6({source:String})
LIMIT {limit:UInt32}
