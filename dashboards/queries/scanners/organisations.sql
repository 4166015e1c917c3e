SELECT
    scanner AS "organisation",
    uniqExact(source) AS "addresses",
    sum(hourly_sources.packets) AS "packets",
    length(groupUniqArrayArray(services)) AS "services, at least",
    min(first) AS "first",
    max(last) AS "last"
FROM hourly_sources FINAL
PREWHERE scanner != ''
WHERE $__timeFilter(hour)
GROUP BY scanner
ORDER BY "packets" DESC, "organisation"
LIMIT 100
