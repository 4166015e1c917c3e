SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMergeIf(sources, known_scanner = 1) AS "known scanners",
    uniqCombinedMergeIf(sources, known_scanner = 0) AS "everybody else",
    sumIf(hour_rollup.packets, known_scanner = 1) AS "packets of known scanners"
FROM hour_rollup FINAL
WHERE $__timeFilter(start) AND is_scan
GROUP BY transport, service_port
HAVING "known scanners" > 0
ORDER BY "packets of known scanners" DESC, service
LIMIT 50
