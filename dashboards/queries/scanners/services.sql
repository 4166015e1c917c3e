-- The sets of sources are merged for those services alone that are shown.
WITH asked AS
(
    SELECT transport, service_port
    FROM service_sums(from = $__fromTime, to = $__toTime)
    WHERE is_scan AND known_scanner = 1
    GROUP BY transport, service_port
    ORDER BY sum(service_sums.packets) DESC, concat(toString(transport), '/', toString(service_port))
    LIMIT 50
)
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    uniqCombinedMergeIf(sources, known_scanner = 1) AS "known scanners",
    uniqCombinedMergeIf(sources, known_scanner = 0) AS "everybody else",
    sumIf(service_sums.packets, known_scanner = 1) AS "packets of known scanners"
FROM service_sums(from = $__fromTime, to = $__toTime)
WHERE is_scan
  AND (transport, service_port) GLOBAL IN (SELECT transport, service_port FROM asked)
GROUP BY transport, service_port
ORDER BY "packets of known scanners" DESC, service
LIMIT 50
SETTINGS optimize_move_to_prewhere_if_final = 1
