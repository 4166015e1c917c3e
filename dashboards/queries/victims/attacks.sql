-- Victims are not named here: partners read them in their feeds.
SELECT
    opened_at AS "opened",
    kind,
    partner,
    country,
    severity,
    state,
    packets AS "packets seen",
    JSONExtractFloat(body, 'evidence', 'rate') AS "estimated packets/s",
    dateDiff('second', first_seen, last_seen) AS "lasted",
    arrayStringConcat(JSONExtract(body, 'evidence', 'vectors', 'Array(String)'), ', ') AS "vectors"
FROM alerts FINAL
WHERE $__timeFilter(opened_at)
  AND kind IN ('ddos_victim', 'reflection_victim')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
ORDER BY opened_at DESC, kind, partner
LIMIT 200
