SELECT uniqExact(source) AS seen
FROM hourly_sources FINAL
WHERE $__timeFilter(hour) AND scanner != ''
