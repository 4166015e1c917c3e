-- At least three SYNs, and nine of ten, bear Mirai's mark: as the detector asks.
SELECT
    concat('AS', toString(asn)) AS system,
    uniqExact(source) AS "sources",
    uniqExactIf(source, mirai >= 3 AND mirai >= 0.9 * syns) AS "with Mirai's mark",
    sum(hourly_sources.packets) AS "packets"
FROM hourly_sources FINAL
PREWHERE country = ${place:singlequote}
WHERE $__timeFilter(hour)
  AND is_scan
  AND (scanner = '' OR ${scanners} = 1)
GROUP BY asn
ORDER BY "sources" DESC, asn
LIMIT 30
