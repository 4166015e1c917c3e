SELECT
    $__timeInterval(places.time) AS time,
    uniqCombinedMergeIf(sources, is_scan) AS scanning,
    uniqCombinedMergeIf(sources, is_backscatter) AS answering
FROM places(from = $__fromTime, to = $__toTime)
WHERE places.time + seconds <= $__toTime
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY time
ORDER BY time
