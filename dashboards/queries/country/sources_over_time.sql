SELECT
    toStartOfInterval(places.time, INTERVAL 600 SECOND) AS time,
    uniqCombinedMergeIf(sources, is_scan) AS scanning,
    uniqCombinedMergeIf(sources, is_backscatter) AS answering
FROM places(from = $__fromTime, to = $__toTime)
WHERE country = ${place:singlequote}
  AND known_scanner <= ${scanners}
  AND places.time < toStartOfInterval($__toTime, INTERVAL 600 SECOND) AND places.time + seconds <= $__toTime
GROUP BY time
ORDER BY time
