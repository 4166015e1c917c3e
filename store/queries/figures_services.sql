-- The services that most distinct sources scanned for. A service has no more sources than flow tuples: the sets of sources
-- are merged for those alone that have most of these.
WITH often AS
(
    SELECT transport, service_port
    FROM minute_rollup
    WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
      AND is_scan
    GROUP BY transport, service_port
    ORDER BY sum(flows) DESC
    LIMIT 200
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    toUInt64(uniqCombinedMerge(rollup.sources)) AS distinct_sources,
    toUInt64(sum(rollup.packets)) AS all_packets
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND is_scan
  AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
GROUP BY transport, service_port
ORDER BY distinct_sources DESC, service
LIMIT {limit:UInt32}
