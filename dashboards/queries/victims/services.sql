-- The sets of sources are merged for those services alone that are shown. Which these are is read from what has no countries
-- where none is chosen.
WITH answered AS
(
    SELECT transport, service_port
    FROM
    (
        SELECT transport, service_port, is_backscatter, packets
        FROM services(from = $__fromTime, to = $__toTime)
        WHERE $__conditionalAll(1 = 0, $country)
        UNION ALL
        SELECT transport, service_port, is_backscatter, packets
        FROM service_places(from = $__fromTime, to = $__toTime)
        WHERE NOT ($__conditionalAll(1 = 0, $country)) AND country IN (${country:singlequote})
    )
    WHERE is_backscatter
    GROUP BY transport, service_port
    ORDER BY sum(packets) DESC, concat(toString(transport), '/', toString(service_port))
    LIMIT 30
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "answering",
    sum(service_places.packets) AS "packets"
FROM service_places(from = $__fromTime, to = $__toTime)
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM answered)
  AND is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY transport, service_port
ORDER BY "packets" DESC, service
LIMIT 30
