-- The sets of sources are merged for those services alone that are shown.
WITH answered AS
(
    SELECT transport, service_port
    FROM hour_rollup FINAL
    WHERE $__timeFilter(start)
      AND is_backscatter
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
    GROUP BY transport, service_port
    ORDER BY sum(hour_rollup.packets) DESC, concat(toString(transport), '/', toString(service_port))
    LIMIT 30
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "answering",
    sum(hour_rollup.packets) AS "packets"
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM answered)
  AND is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
GROUP BY transport, service_port
ORDER BY "packets" DESC, service
LIMIT 30
