SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "answering",
    sum(hour_rollup.packets) AS "packets"
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY transport, service_port
ORDER BY "packets" DESC, service
LIMIT 30
