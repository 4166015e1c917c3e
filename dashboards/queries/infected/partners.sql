SELECT
    if(cases.partner = '', 'nobody''s', cases.partner) AS "whose",
    count() AS "cases",
    countIf(cases.state IN ('new', 'continuing')) AS "open",
    countIf(steps.answered > toDateTime64(0, 3, 'UTC')) AS "answered",
    countIf(steps.resolved > toDateTime64(0, 3, 'UTC')) AS "resolved",
    countIf(steps.confirmed > toDateTime64(0, 3, 'UTC')) AS "confirmed",
    round(avg(dateDiff('second', cases.opened_at, cases.last_seen))) AS "seen for, on average"
FROM
(
    SELECT id, partner, state, opened_at, last_seen
    FROM alerts FINAL
    WHERE $__timeFilter(opened_at)
      AND kind = 'infected_host'
      AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
      AND exercise = 0
      AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
) AS cases
GLOBAL LEFT JOIN
(
    SELECT
        id,
        minIf(at, event NOT IN ('note', 'confirm', 'stay_quiet', 'reappear')) AS answered,
        minIf(at, event = 'resolve') AS resolved,
        minIf(at, event = 'confirm') AS confirmed
    FROM case_steps FINAL
    GROUP BY id
) AS steps ON cases.id = steps.id
GROUP BY "whose"
ORDER BY "open" DESC, "whose"
LIMIT 200
