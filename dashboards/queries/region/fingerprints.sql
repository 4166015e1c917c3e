-- A source counts for a program when at least 3 of its SYNs, and 90 % of them, bear the mark.
SELECT
    hour AS time,
    uniqCombinedIf(source, mirai >= 3 AND 10 * mirai >= 9 * syns) AS mirai_like,
    uniqCombinedIf(source, zmap >= 3 AND 10 * zmap >= 9 * syns) AS zmap_like,
    uniqCombinedIf(source, masscan >= 3 AND 10 * masscan >= 9 * syns) AS masscan_like,
    uniqCombinedIf(source, nmap >= 3 AND 10 * nmap >= 9 * syns) AS nmap_like
FROM hourly_sources FINAL
PREWHERE mirai + zmap + masscan + nmap >= 3
WHERE $__timeFilter(hour)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND (scanner != '') <= ${scanners}
GROUP BY time
ORDER BY time
