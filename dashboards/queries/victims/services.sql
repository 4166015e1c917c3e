-- The sets of sources are merged for those services alone that are shown. What has no countries is read where none is chosen: a
-- set for each of them would be merged otherwise.
WITH
    seen AS
    (
        SELECT transport, service_port, is_backscatter, packets, sources
        FROM service_sums(from = $__fromTime, to = $__toTime)
        WHERE $__conditionalAll(1 = 0, $country)
        UNION ALL
        SELECT transport, service_port, is_backscatter, packets, sources
        FROM place_service_sums(from = $__fromTime, to = $__toTime)
        WHERE NOT ($__conditionalAll(1 = 0, $country)) AND country IN (${country:singlequote})
    ),
    answered AS
    (
        SELECT transport, service_port
        FROM seen
        WHERE is_backscatter
        GROUP BY transport, service_port
        ORDER BY sum(seen.packets) DESC, concat(toString(transport), '/', toString(service_port))
        LIMIT 30
    )
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "answering",
    sum(seen.packets) AS "packets"
FROM seen
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM answered)
  AND is_backscatter
GROUP BY transport, service_port
ORDER BY "packets" DESC, service
LIMIT 30
SETTINGS optimize_move_to_prewhere_if_final = 1
