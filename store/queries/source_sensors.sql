-- Which sensors saw packets that bear one address.
SELECT
    toString(flow.sensor) AS name,
    toUInt64(sum(flow.packets)) AS seen,
    toInt64(toUnixTimestamp64Milli(min(flow.first))) AS begun,
    toInt64(toUnixTimestamp64Milli(max(flow.last))) AS ended
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.source = toIPv6({source:String})
GROUP BY flow.sensor
ORDER BY seen DESC, name
LIMIT {limit:UInt32}
