SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "unique sources",
    uniqCombinedMerge(networks) AS "unique /24s",
    sum(packets) AS "packets seen",
    uniqExactIf(country, country != '') AS countries
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND startsWith(toString(traffic), 'scan')
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY transport, service_port
ORDER BY "unique sources" DESC, service
LIMIT 20
