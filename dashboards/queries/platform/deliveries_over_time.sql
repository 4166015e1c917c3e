SELECT
    $__timeInterval(planned_at) AS time,
    state,
    count() AS messages
FROM deliveries FINAL
WHERE $__timeFilter(planned_at)
GROUP BY time, state
ORDER BY time, state
