SELECT country
FROM ten_minute_places FINAL
WHERE start > (SELECT max(start) FROM ten_minute_places) - toIntervalDay(7) AND country != '' AND is_scan
GROUP BY country
ORDER BY uniqCombinedMerge(sources) DESC, country
LIMIT 300
