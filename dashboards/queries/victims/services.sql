-- The sets of sources are merged for those services alone that are shown.
WITH answered AS
(
    SELECT transport, service_port
    FROM ${service_lists}(from = $__fromTime, to = $__toTime) AS seen
    WHERE is_backscatter
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
    GROUP BY transport, service_port
    ORDER BY sum(seen.packets) DESC, concat(toString(transport), '/', toString(service_port))
    LIMIT 30
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "answering",
    sum(seen.packets) AS "packets"
FROM ${service_lists}(from = $__fromTime, to = $__toTime) AS seen
WHERE (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM answered)
  AND is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY transport, service_port
ORDER BY "packets" DESC, service
LIMIT 30
SETTINGS optimize_move_to_prewhere_if_final = 1
