SELECT uniqExact(scanner) AS organisations
FROM hourly_sources FINAL
WHERE $__timeFilter(hour) AND scanner != ''
