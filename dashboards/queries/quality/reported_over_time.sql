SELECT
    $__timeInterval(first) AS time,
    sensor,
    least(100, 100 * sum(toInt64(toUnixTimestamp(last_end)) - toInt64(toUnixTimestamp(first))) / $__interval_s) AS reported
FROM batch_ledger
WHERE last_end > $__fromTime AND first < $__toTime
  AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
GROUP BY time, sensor
ORDER BY time, sensor
