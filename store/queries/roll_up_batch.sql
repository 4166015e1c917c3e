-- What the view makes of one batch, made again from its raw rows.
INSERT INTO minute_rollup
    (minute, transport, service_port, traffic, country, partner, known_scanner, bogon_source,
     flows, packets, bytes, sources, networks, batches)
SELECT
    toStartOfMinute(interval) AS minute,
    transport,
    if(transport IN ('icmp', 'icmp6'), bitShiftRight(detail, 8), detail) AS service_port,
    traffic,
    country,
    partner,
    scanner != '' AS known_scanner,
    bogon != '' AS bogon_source,
    count() AS flows,
    sum(flow_tuples.packets) AS packets,
    sum(flow_tuples.bytes) AS bytes,
    uniqCombinedState(source) AS sources,
    uniqCombinedState(tupleElement(IPv6CIDRToRange(source,
        if(source BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), 120, 48)), 1)) AS networks,
    groupUniqArrayIf(cityHash64(flow_tuples.sensor, flow_tuples.epoch, flow_tuples.sequence), head = 1) AS batches
FROM flow_tuples
WHERE interval >= toDateTime({first:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
  AND flow_tuples.sensor = {sensor:String} AND flow_tuples.epoch = {epoch:UInt64}
  AND flow_tuples.sequence = {sequence:UInt64}
GROUP BY minute, transport, service_port, traffic, country, partner, known_scanner, bogon_source
