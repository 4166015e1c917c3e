-- Distinct sources and packets of scans, bin by bin; of one service and country, or of all.
SELECT
    toUInt64(intDiv(toUInt64(toUnixTimestamp(seen.time)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(uniqCombinedMerge(seen.sources)) AS distinct_sources,
    toUInt64(sum(seen.packets)) AS all_packets
FROM
(
    SELECT time, packets, sources
    FROM places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC'))
    WHERE {transport:UInt8} = 0 AND is_scan AND ({country:String} = '' OR country = {country:String})
    UNION ALL
    SELECT time, packets, sources
    FROM service_places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC'))
    WHERE {transport:UInt8} != 0 AND toUInt8(transport) = {transport:UInt8} AND service_port = {port:UInt16}
      AND is_scan AND ({country:String} = '' OR country = {country:String})
) AS seen
GROUP BY bin
ORDER BY bin
