SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "sources",
    uniqCombinedMerge(networks) AS "/24s",
    sum(hour_rollup.packets) AS "packets"
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND country = ${place:singlequote}
  AND known_scanner <= ${scanners}
  AND is_scan
GROUP BY transport, service_port
ORDER BY "sources" DESC, service
LIMIT 30
