-- Of the time from the first batch of each sensor to its last within the range: how much was reported.
SELECT 100 * sum(reported) / greatest(1, sum(reported + missing)) AS coverage
FROM
(
    SELECT
        toInt64(toUnixTimestamp(last_end)) - toInt64(toUnixTimestamp(first)) AS reported,
        greatest(0, toInt64(toUnixTimestamp(first)) - toInt64(toUnixTimestamp(lagInFrame(last_end, 1, first) OVER
            (PARTITION BY sensor ORDER BY first, last_end ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)))) AS missing
    FROM batch_ledger
    WHERE last_end > $__fromTime AND first < $__toTime
      AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
)
