SELECT uniqExact(source) AS seen
FROM hourly_sources FINAL
PREWHERE scanner != ''
WHERE $__timeFilter(hour)
