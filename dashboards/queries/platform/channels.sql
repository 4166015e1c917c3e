SELECT
    partner,
    splitByChar(' ', channel)[1] AS "channel",
    countIf(state = 'delivered') AS "delivered",
    countIf(state IN ('waiting', 'folded')) AS "waiting",
    countIf(state = 'unreached') AS "not reached",
    countIf(state = 'held') AS "without a key",
    countIf(state IN ('disabled', 'given_up')) AS "given up",
    argMaxIf(error, planned_at, error != '') AS "last trouble"
FROM deliveries FINAL
WHERE $__timeFilter(planned_at)
GROUP BY partner, "channel"
ORDER BY "not reached" DESC, partner, "channel"
LIMIT 500
