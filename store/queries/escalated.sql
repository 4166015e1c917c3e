-- Cases that grew more urgent since then, and those that nobody answered, so that further people were told.
SELECT toString(of) AS id, why, max(at_ms) AS last_ms
FROM
(
    SELECT id AS of, 'raised' AS why, toUnixTimestamp64Milli(at) AS at_ms
    FROM
    (
        SELECT id, recorded_at, at,
               indexOf(['info', 'low', 'medium', 'high'], JSONExtractString(body, 'severity')) AS urgency,
               lagInFrame(urgency) OVER (PARTITION BY id ORDER BY version ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
        FROM alert_history FINAL
        WHERE id GLOBAL IN
            (SELECT id FROM alert_history WHERE recorded_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
    )
    WHERE before > 0 AND urgency > before AND recorded_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    UNION ALL
    SELECT `case` AS of, 'unanswered' AS why, toUnixTimestamp64Milli(planned_at) AS at_ms
    FROM deliveries FINAL
    WHERE event = 'unanswered' AND planned_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
)
GROUP BY of, why
ORDER BY last_ms DESC, id, why
LIMIT {limit:UInt32}
