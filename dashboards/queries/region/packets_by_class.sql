SELECT
    $__timeInterval(places.time) AS time,
    toString(traffic) AS class,
    sum(packets) / greatest($__interval_s, any(seconds)) AS rate
FROM places(from = $__fromTime, to = $__toTime)
WHERE places.time + seconds <= $__toTime
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY time, class
ORDER BY time, class
