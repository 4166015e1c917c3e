SELECT
    opened_at AS opened,
    subject AS service,
    if(country = '', 'region', country) AS place,
    state,
    severity,
    JSONExtractUInt(body, 'evidence', 'sources') AS "sources",
    JSONExtractFloat(body, 'evidence', 'usual') AS "usual",
    round("sources" / greatest("usual", 1), 1) AS "times the usual",
    dateDiff('second', opened_at, last_seen) AS "lasted",
    reason_code AS rule
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind IN ('scan_surge', 'new_service')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
ORDER BY opened_at DESC, service, place
LIMIT 200
