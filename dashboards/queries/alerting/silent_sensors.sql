SELECT countIf(through < now() - INTERVAL 10 MINUTE) AS silent
FROM
(
    SELECT sensor, max(complete_through) AS through
    FROM batch_ledger
    WHERE kept_at >= now() - INTERVAL 7 DAY
    GROUP BY sensor
)
WHERE sensor GLOBAL NOT IN (SELECT sensor FROM maintenance FINAL WHERE from <= now() AND until > now())
