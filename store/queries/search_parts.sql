-- Scans by sensor, AS number, service, country or network, those with most distinct sources first, and all packets of
-- the search beside each. From raw rows: no rollup tells these apart. They are told apart by numbers, and
-- written as words at the end.
SELECT
    multiIf({by:String} = 'asn', toString(by_asn), {by:String} = 'network', toString(by_network), by_word) AS part,
    toUInt64(uniqCombined(flow.source)) AS distinct_sources,
    toUInt64(sum(flow.packets)) AS all_packets,
    toUInt64(sum(all_packets) OVER ()) AS together
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.is_scan
  AND ({transport:UInt8} = 0 OR toUInt8(flow.transport) = {transport:UInt8} AND flow.service_port = {port:UInt16})
  AND ({country:String} = '' OR flow.country = {country:String})
  AND ({sensor:String} = '' OR flow.sensor = {sensor:String})
  AND ({any_asn:UInt8} = 1 OR flow.asn = {asn:UInt32})
  AND ({any_source:UInt8} = 1 OR flow.source BETWEEN toIPv6({lowest:String}) AND toIPv6({highest:String}))
GROUP BY
    multiIf({by:String} = 'sensor', toString(flow.sensor), {by:String} = 'country', toString(flow.country),
        {by:String} = 'service', flow.service, '') AS by_word,
    if({by:String} = 'asn', flow.asn, 0) AS by_asn,
    if({by:String} = 'network', tupleElement(IPv6CIDRToRange(flow.source, toUInt8(if(
        flow.source BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), 120, 48))), 1), toIPv6('::')) AS by_network
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
