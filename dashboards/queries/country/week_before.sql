SELECT time, week, seen
FROM
(
    SELECT start AS time, 'now' AS week, uniqCombinedMerge(sources) AS seen
    FROM place_rollup FINAL
    WHERE $__timeFilter(start)
      AND country = ${place:singlequote}
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY time
    UNION ALL
    SELECT start + INTERVAL 7 DAY AS time, 'a week before' AS week, uniqCombinedMerge(sources) AS seen
    FROM place_rollup FINAL
    WHERE start >= $__fromTime - INTERVAL 7 DAY AND start <= $__toTime - INTERVAL 7 DAY
      AND country = ${place:singlequote}
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY time
)
ORDER BY time, week
