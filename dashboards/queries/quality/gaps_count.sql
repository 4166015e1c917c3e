SELECT countIf(missing > 0) AS gaps
FROM
(
    SELECT greatest(0, toInt64(toUnixTimestamp(first)) - toInt64(toUnixTimestamp(lagInFrame(last_end, 1, first) OVER
        (PARTITION BY sensor ORDER BY first, last_end ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)))) AS missing
    FROM batch_ledger
    WHERE last_end > $__fromTime AND first < $__toTime
      AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
)
