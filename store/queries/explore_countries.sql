-- Scans of all services by country, those with most distinct sources first; of one country, or of all.
SELECT
    toString(seen.country) AS part,
    toUInt64(uniqCombinedMerge(seen.sources)) AS distinct_sources,
    toUInt64(sum(seen.packets)) AS all_packets
FROM places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC')) AS seen
WHERE is_scan AND ({country:String} = '' OR country = {country:String})
GROUP BY part
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
