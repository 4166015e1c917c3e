-- A service has no more sources than flow tuples: the sets of sources are merged for those alone that have most of these.
WITH often AS
(
    SELECT transport, service_port
    FROM hour_rollup FINAL
    WHERE $__timeFilter(start)
      AND country = ${place:singlequote}
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY transport, service_port
    ORDER BY sum(flows) DESC
    LIMIT 200
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMerge(sources) AS "sources",
    uniqCombinedMerge(networks) AS "/24s",
    sum(hour_rollup.packets) AS "packets"
FROM hour_rollup FINAL
WHERE $__timeFilter(start)
  AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM often)
  AND country = ${place:singlequote}
  AND known_scanner <= ${scanners}
  AND is_scan
GROUP BY transport, service_port
ORDER BY "sources" DESC, service
LIMIT 30
