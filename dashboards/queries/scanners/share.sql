SELECT 100 * sumIf(hour_rollup.packets, known_scanner = 1) / greatest(1, sum(hour_rollup.packets)) AS share
FROM hour_rollup FINAL
WHERE $__timeFilter(start) AND startsWith(toString(traffic), 'scan')
