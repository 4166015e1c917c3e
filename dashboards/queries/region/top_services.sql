-- A service has no more sources than flow tuples: the sets of sources are merged for those alone that have most of these.
WITH often AS
(
    SELECT transport, service_port
    FROM
    (
        SELECT transport, service_port, country, known_scanner, is_scan, flows
        FROM minute_rollup
        WHERE $__timeFilter(minute) AND $__toTime - $__fromTime <= 86400
        UNION ALL
        SELECT transport, service_port, country, known_scanner, is_scan, flows
        FROM hour_rollup FINAL
        WHERE $__timeFilter(start) AND $__toTime - $__fromTime > 86400
    )
    WHERE is_scan
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
      AND known_scanner <= ${scanners}
    GROUP BY transport, service_port
    ORDER BY sum(flows) DESC
    LIMIT 200
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "unique sources",
    uniqCombinedMerge(networks) AS "unique /24s",
    sum(packets) AS "packets seen",
    uniqExactIf(country, country != '') AS countries
FROM
(
    SELECT transport, service_port, country, known_scanner, is_scan, packets, sources, networks
    FROM minute_rollup
    WHERE $__timeFilter(minute) AND $__toTime - $__fromTime <= 86400
      AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
    UNION ALL
    SELECT transport, service_port, country, known_scanner, is_scan, packets, sources, networks
    FROM hour_rollup FINAL
    WHERE $__timeFilter(start) AND $__toTime - $__fromTime > 86400
      AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
)
WHERE is_scan
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY transport, service_port
ORDER BY "unique sources" DESC, service
LIMIT 20
