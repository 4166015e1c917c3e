SELECT
    if(JSONExtractString(body, 'evidence', 'fingerprint') = '', 'no mark', JSONExtractString(body, 'evidence', 'fingerprint')) AS "family",
    reason_code AS "rule",
    count() AS "cases",
    countIf(state IN ('new', 'continuing')) AS "open"
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind = 'infected_host'
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
GROUP BY "family", "rule"
ORDER BY "cases" DESC, "family", "rule"
LIMIT 50
