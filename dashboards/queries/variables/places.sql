SELECT country
FROM ten_minute_rollup FINAL
WHERE country != '' AND is_scan
GROUP BY country
ORDER BY uniqCombinedMerge(sources) DESC, country
LIMIT 300
