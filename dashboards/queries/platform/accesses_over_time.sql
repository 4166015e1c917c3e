SELECT
    $__timeInterval(at) AS time,
    splitByChar(':', who)[1] AS kind,
    count() AS accesses
FROM audit
WHERE $__timeFilter(at)
GROUP BY time, kind
ORDER BY time, kind
