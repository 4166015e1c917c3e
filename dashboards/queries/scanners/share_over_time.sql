SELECT
    start AS time,
    if(known_scanner = 1, 'known scanners', 'everybody else') AS whose,
    sum(ten_minute_rollup.packets) / 600 AS rate
FROM ten_minute_rollup FINAL
WHERE $__timeFilter(start) AND startsWith(toString(traffic), 'scan')
GROUP BY time, whose
ORDER BY time, whose
