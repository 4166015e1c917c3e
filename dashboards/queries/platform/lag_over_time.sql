SELECT
    $__timeInterval(minute) AS time,
    quantileExact(0.5)(lag_seconds) AS "half within",
    quantileExact(0.99)(lag_seconds) AS "99 % within"
FROM sensor_health
WHERE $__timeFilter(minute)
GROUP BY time
ORDER BY time
