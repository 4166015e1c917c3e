-- Scans by country, those with most distinct sources first; of one service and country, or of all.
SELECT
    toString(seen.country) AS part,
    toUInt64(uniqCombinedMerge(seen.sources)) AS distinct_sources,
    toUInt64(sum(seen.packets)) AS all_packets
FROM
(
    SELECT country, packets, sources
    FROM places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC'))
    WHERE {transport:UInt8} = 0 AND is_scan AND ({country:String} = '' OR country = {country:String})
    UNION ALL
    SELECT country, packets, sources
    FROM service_places(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC'))
    WHERE {transport:UInt8} != 0 AND toUInt8(transport) = {transport:UInt8} AND service_port = {port:UInt16}
      AND is_scan AND ({country:String} = '' OR country = {country:String})
) AS seen
GROUP BY part
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
