SELECT concat(toString(transport), '/', toString(service_port)) AS service
FROM ten_minute_rollup FINAL
WHERE is_scan
GROUP BY transport, service_port
ORDER BY uniqCombinedMerge(sources) DESC
LIMIT 500
