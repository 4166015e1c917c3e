-- What partners' sources scanned, summed by partner and AS number; without the one partner that is named.
SELECT
    toString(flow.partner) AS owner,
    flow.asn AS number,
    toUInt64(uniqCombined(flow.source)) AS distinct_sources,
    toUInt64(sum(flow.packets)) AS all_packets
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.is_scan
  AND flow.partner NOT IN ('', {partner:String})
  AND ({transport:UInt8} = 0 OR toUInt8(flow.transport) = {transport:UInt8} AND flow.service_port = {port:UInt16})
  AND ({country:String} = '' OR flow.country = {country:String})
  AND ({sensor:String} = '' OR flow.sensor = {sensor:String})
  AND ({any_asn:UInt8} = 1 OR flow.asn = {asn:UInt32})
  AND ({any_source:UInt8} = 1 OR flow.source BETWEEN toIPv6({lowest:String}) AND toIPv6({highest:String}))
GROUP BY flow.partner, flow.asn
ORDER BY distinct_sources DESC, owner, number
LIMIT {limit:UInt32}
