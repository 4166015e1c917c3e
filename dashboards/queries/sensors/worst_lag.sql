SELECT max(lag_seconds) AS lag
FROM sensor_health
WHERE minute >= $__toTime - INTERVAL 10 MINUTE AND minute <= $__toTime AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
