-- What packets that bear one address asked for, or answered.
SELECT
    concat(toString(transport), '/', toString(any(flow.service_port))) AS asked,
    toString(traffic) AS class,
    toUInt64(sum(flow.packets)) AS seen,
    toUInt64(uniqExact(sensor)) AS at_sensors,
    toInt64(toUnixTimestamp64Milli(min(flow.first))) AS begun,
    toInt64(toUnixTimestamp64Milli(max(flow.last))) AS ended
FROM flow_tuples AS flow
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
  AND source = toIPv6({source:String})
GROUP BY transport, detail, traffic
ORDER BY seen DESC, asked, class
LIMIT 20
