SELECT concat(toString(transport), '/', toString(service_port)) AS service
FROM ten_minute_rollup FINAL
WHERE startsWith(toString(traffic), 'scan')
GROUP BY transport, service_port
ORDER BY uniqCombinedMerge(sources) DESC
LIMIT 500
