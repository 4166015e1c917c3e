SELECT DISTINCT country FROM minute_rollup WHERE country != '' ORDER BY country
