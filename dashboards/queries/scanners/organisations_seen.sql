SELECT uniqExact(scanner) AS organisations
FROM hourly_sources FINAL
PREWHERE scanner != ''
WHERE $__timeFilter(hour)
