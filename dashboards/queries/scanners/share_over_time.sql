SELECT
    toStartOfInterval(places.time, INTERVAL 600 SECOND) AS time,
    if(known_scanner = 1, 'known scanners', 'everybody else') AS whose,
    sum(places.packets) / greatest(600, any(seconds)) AS rate
FROM places(from = $__fromTime, to = $__toTime)
WHERE is_scan AND places.time < toStartOfInterval($__toTime, INTERVAL 600 SECOND) AND places.time + seconds <= $__toTime
GROUP BY time, whose
ORDER BY time, whose
