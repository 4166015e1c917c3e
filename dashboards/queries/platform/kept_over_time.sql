SELECT
    $__timeInterval(minute) AS time,
    sum(flows) / $__interval_s AS "flow tuples",
    sum(packets) / $__interval_s AS "packets"
FROM sensor_health
WHERE $__timeFilter(minute)
GROUP BY time
ORDER BY time
