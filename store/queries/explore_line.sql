-- Distinct sources and packets of scans of all services, bin by bin; of one country, or of all.
SELECT
    toUInt64(intDiv(toUInt64(toUnixTimestamp(seen.time)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(uniqCombinedMerge(seen.sources)) AS distinct_sources,
    toUInt64(sum(seen.packets)) AS all_packets
FROM places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC')) AS seen
WHERE is_scan AND ({country:String} = '' OR country = {country:String})
GROUP BY bin
ORDER BY bin
