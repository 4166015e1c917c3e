-- Scans by service or by country, those with most distinct sources first; of one service and country, or of all.
SELECT
    if({by_country:UInt8} = 1, toString(country), concat(toString(transport), '/', toString(service_port))) AS part,
    toUInt64(uniqCombinedMerge(rollup.sources)) AS distinct_sources,
    toUInt64(sum(rollup.packets)) AS all_packets
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND is_scan
  AND ({country:String} = '' OR country = {country:String})
  AND ({service:String} = '' OR service_port = toUInt16OrZero(splitByChar('/', {service:String})[2]))
  AND ({service:String} = '' OR concat(toString(transport), '/', toString(service_port)) = {service:String})
GROUP BY part
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
