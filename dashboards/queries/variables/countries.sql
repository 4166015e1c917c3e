SELECT DISTINCT country
FROM
(
    SELECT country FROM ten_minute_places
    UNION ALL
    SELECT country FROM minute_rollup WHERE minute >= (SELECT max(start) + 600 FROM ten_minute_places)
)
WHERE country != ''
ORDER BY country
