-- A service has no more sources than flow tuples: the sets of sources are merged for those alone that have most of these.
-- What has no countries is read where none is chosen: a set for each of them would be merged otherwise.
WITH
    seen AS
    (
        SELECT transport, service_port, known_scanner, is_scan, flows, packets, sources
        FROM service_sums(from = $__fromTime, to = $__toTime)
        WHERE $__conditionalAll(1 = 0, $country)
        UNION ALL
        SELECT transport, service_port, known_scanner, is_scan, flows, packets, sources
        FROM place_service_sums(from = $__fromTime, to = $__toTime)
        WHERE NOT ($__conditionalAll(1 = 0, $country)) AND country IN (${country:singlequote})
    ),
    often AS
    (
        SELECT transport, service_port
        FROM seen
        WHERE is_scan AND known_scanner <= ${scanners}
        GROUP BY transport, service_port
        ORDER BY sum(flows) DESC
        LIMIT 200
    )
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "unique sources",
    sum(packets) AS "packets seen"
FROM seen
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
  AND is_scan
  AND known_scanner <= ${scanners}
GROUP BY transport, service_port
ORDER BY "unique sources" DESC, service
LIMIT 20
SETTINGS optimize_move_to_prewhere_if_final = 1
