-- What packets that bear one address did, in one reading: bin by bin, by what they asked for or answered, and by sensor.
SELECT
    multiIf(grouping(flow.bin) = 0, 'bin', grouping(flow.at_sensor) = 0, 'sensor', 'service') AS kind,
    flow.bin AS bin,
    concat(toString(flow.transport), '/', toString(flow.service_port)) AS service,
    toString(flow.traffic) AS class,
    toString(flow.at_sensor) AS sensor,
    toUInt64(sum(flow.packets)) AS packets,
    toUInt64(uniqExact(flow.sensor)) AS sensors,
    toInt64(toUnixTimestamp64Milli(min(flow.first))) AS first,
    toInt64(toUnixTimestamp64Milli(max(flow.last))) AS last
FROM
(
    SELECT
        toUInt64(intDiv(toUInt64(toUnixTimestamp(interval)) - {start:UInt64}, {step:UInt64})) AS bin,
        transport, service_port, traffic, sensor, sensor AS at_sensor, packets, first, last
    FROM flow_tuples
    WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
      AND source = toIPv6({source:String})
) AS flow
GROUP BY GROUPING SETS ((flow.bin), (flow.transport, flow.service_port, flow.traffic), (flow.at_sensor))
ORDER BY kind, packets DESC, service, class, sensor
LIMIT {limit:UInt64} BY kind
