SELECT DISTINCT country
FROM
(
    SELECT country FROM ten_minute_places
    UNION ALL
    SELECT country FROM minute_rollup WHERE minute >= (SELECT max(period) + 600 FROM rolled_up WHERE seconds = 600)
)
WHERE country != ''
ORDER BY country
