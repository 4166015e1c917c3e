SELECT
    toStartOfInterval(places.time, INTERVAL 600 SECOND) AS time,
    toString(traffic) AS class,
    sum(places.packets) / greatest(600, any(seconds)) AS rate
FROM places(from = $__fromTime, to = $__toTime)
WHERE is_backscatter
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND places.time < toStartOfInterval($__toTime, INTERVAL 600 SECOND) AND places.time + seconds <= $__toTime
GROUP BY time, class
ORDER BY time, class
