-- Single sources that scanned, those with most packets first: of nobody, and of the one partner that
-- is named. Who they are is found first; what stands beside each is read of these alone.
SELECT
    toString(flow.source) AS address,
    toString(argMax(flow.country, flow.interval)) AS code,
    argMax(flow.asn, flow.interval) AS number,
    toString(argMax(flow.partner, flow.interval)) AS owner,
    toUInt64(sum(flow.packets)) AS seen,
    toUInt64(uniqExact(flow.sensor)) AS at_sensors,
    arrayStringConcat(arraySlice(arraySort(groupUniqArray(100)(flow.service)), 1, 5), ' ') AS asked,
    toInt64(toUnixTimestamp64Milli(min(flow.first))) AS begun,
    toInt64(toUnixTimestamp64Milli(max(flow.last))) AS ended
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.is_scan
  AND flow.partner IN ('', {partner:String})
  AND ({transport:UInt8} = 0 OR toUInt8(flow.transport) = {transport:UInt8} AND flow.service_port = {port:UInt16})
  AND ({country:String} = '' OR flow.country = {country:String})
  AND ({sensor:String} = '' OR flow.sensor = {sensor:String})
  AND ({any_asn:UInt8} = 1 OR flow.asn = {asn:UInt32})
  AND flow.source GLOBAL IN
  (
    SELECT loud.source
    FROM flow_tuples AS loud
    WHERE loud.interval >= toDateTime({start:UInt64}, 'UTC') AND loud.interval < toDateTime({end:UInt64}, 'UTC')
      AND loud.is_scan
      AND loud.partner IN ('', {partner:String})
      AND ({transport:UInt8} = 0 OR toUInt8(loud.transport) = {transport:UInt8} AND loud.service_port = {port:UInt16})
      AND ({country:String} = '' OR loud.country = {country:String})
      AND ({sensor:String} = '' OR loud.sensor = {sensor:String})
      AND ({any_asn:UInt8} = 1 OR loud.asn = {asn:UInt32})
      AND ({any_source:UInt8} = 1 OR loud.source BETWEEN toIPv6({lowest:String}) AND toIPv6({highest:String}))
    GROUP BY loud.source
    ORDER BY sum(loud.packets) DESC, toString(loud.source)
    LIMIT {limit:UInt32}
  )
GROUP BY flow.source
ORDER BY seen DESC, address
LIMIT {limit:UInt32}
