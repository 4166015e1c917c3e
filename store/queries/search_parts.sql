-- Scans by sensor, AS number, service, country or network, those with most distinct sources first, and all packets of
-- the search beside each. From raw rows: no rollup tells these apart.
SELECT
    multiIf({by:String} = 'sensor', toString(flow.sensor), {by:String} = 'asn', toString(flow.asn),
        {by:String} = 'service', flow.service, {by:String} = 'country', toString(flow.country),
        toString(tupleElement(IPv6CIDRToRange(flow.source, toUInt8(if(
            flow.source BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), 120, 48))), 1))) AS part,
    toUInt64(uniqCombined(flow.source)) AS distinct_sources,
    toUInt64(sum(flow.packets)) AS all_packets,
    toUInt64(sum(all_packets) OVER ()) AS together
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND startsWith(toString(flow.traffic), 'scan')
  AND ({service:String} = '' OR flow.service = {service:String})
  AND ({country:String} = '' OR flow.country = {country:String})
  AND ({sensor:String} = '' OR flow.sensor = {sensor:String})
  AND ({any_asn:UInt8} = 1 OR flow.asn = {asn:UInt32})
  AND flow.source BETWEEN toIPv6({lowest:String}) AND toIPv6({highest:String})
GROUP BY part
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
