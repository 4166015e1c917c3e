-- Distinct sources and packets of scans, bin by bin; of one service and country, or of all.
SELECT
    toUInt64(intDiv(toUInt64(toUnixTimestamp(minute)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(uniqCombinedMerge(rollup.sources)) AS distinct_sources,
    toUInt64(sum(rollup.packets)) AS all_packets
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND is_scan
  AND ({country:String} = '' OR country = {country:String})
  AND ({service:String} = '' OR service_port = toUInt16OrZero(splitByChar('/', {service:String})[2]))
  AND ({service:String} = '' OR concat(toString(transport), '/', toString(service_port)) = {service:String})
GROUP BY bin
ORDER BY bin
