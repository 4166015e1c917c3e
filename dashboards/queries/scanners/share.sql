SELECT 100 * sumIf(place_rollup.packets, known_scanner = 1) / greatest(1, sum(place_rollup.packets)) AS share
FROM place_rollup FINAL
WHERE $__timeFilter(start) AND is_scan
