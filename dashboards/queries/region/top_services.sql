-- A service has no more sources than flow tuples: the sets of sources are merged for those alone that have most of these.
WITH often AS
(
    SELECT transport, service_port
    FROM ${service_lists}(from = $__fromTime, to = $__toTime)
    WHERE is_scan
      AND known_scanner <= ${scanners}
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
    GROUP BY transport, service_port
    ORDER BY sum(flows) DESC
    LIMIT 200
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "unique sources",
    sum(packets) AS "packets seen"
FROM ${service_lists}(from = $__fromTime, to = $__toTime)
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
  AND is_scan
  AND known_scanner <= ${scanners}
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY transport, service_port
ORDER BY "unique sources" DESC, service
LIMIT 20
SETTINGS optimize_move_to_prewhere_if_final = 1
