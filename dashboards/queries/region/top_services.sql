-- A service has no more sources than flow tuples: the sets of sources are merged for those alone that have most of these.
-- Which these are is read from what has no countries where none is chosen.
WITH often AS
(
    SELECT transport, service_port
    FROM
    (
        SELECT transport, service_port, known_scanner, is_scan, flows
        FROM services(from = $__fromTime, to = $__toTime)
        WHERE $__conditionalAll(1 = 0, $country)
        UNION ALL
        SELECT transport, service_port, known_scanner, is_scan, flows
        FROM service_places(from = $__fromTime, to = $__toTime)
        WHERE NOT ($__conditionalAll(1 = 0, $country)) AND country IN (${country:singlequote})
    )
    WHERE is_scan AND known_scanner <= ${scanners}
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
FROM service_places(from = $__fromTime, to = $__toTime)
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
  AND is_scan
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY transport, service_port
ORDER BY "unique sources" DESC, service
LIMIT 20
