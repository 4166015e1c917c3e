-- The services that most distinct sources scanned for.
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    toUInt64(uniqCombinedMerge(rollup.sources)) AS distinct_sources,
    toUInt64(sum(rollup.packets)) AS all_packets
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND is_scan
GROUP BY transport, service_port
ORDER BY distinct_sources DESC, service
LIMIT {limit:UInt32}
