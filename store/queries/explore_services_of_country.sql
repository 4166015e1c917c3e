-- Scans of one country by service, those with most distinct sources first. A service has no more
-- sources than flow tuples: the sets of sources are merged for those alone that have most of these. What is asked for is
-- all in the key, so it may be looked at before FINAL.
WITH often AS
(
    SELECT transport, service_port
    FROM place_service_sums(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC'))
    WHERE is_scan AND country = {country:String}
      AND ({transport:UInt8} = 0 OR toUInt8(transport) = {transport:UInt8} AND service_port = {port:UInt16})
    GROUP BY transport, service_port
    ORDER BY sum(flows) DESC
    LIMIT 200
)
SELECT
    concat(toString(seen.transport), '/', toString(seen.service_port)) AS part,
    toUInt64(uniqCombinedMerge(seen.sources)) AS distinct_sources,
    toUInt64(sum(seen.packets)) AS all_packets
FROM place_service_sums(from = toDateTime({start:UInt64}, 'UTC'), to = toDateTime({end:UInt64} - 1, 'UTC')) AS seen
WHERE is_scan AND country = {country:String}
  AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
GROUP BY seen.transport, seen.service_port
ORDER BY distinct_sources DESC, part
LIMIT {limit:UInt32}
SETTINGS optimize_move_to_prewhere_if_final = 1
