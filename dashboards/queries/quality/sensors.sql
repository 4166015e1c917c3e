SELECT
    sensor,
    min(first) AS "from",
    max(last_end) AS "until",
    count() AS "batches",
    sum(gap) AS "missing",
    max(gap) AS "longest gap",
    round(100 * sum(reported) / greatest(1, sum(reported) + sum(gap)), 2) AS "reported %",
    round(100 * countIf(packets = 0) / count(), 1) AS "silent %"
FROM
(
    SELECT
        sensor,
        first,
        last_end,
        batch_ledger.packets AS packets,
        toInt64(toUnixTimestamp(last_end)) - toInt64(toUnixTimestamp(first)) AS reported,
        greatest(0, toInt64(toUnixTimestamp(first)) - toInt64(toUnixTimestamp(lagInFrame(last_end, 1, first) OVER
            (PARTITION BY sensor ORDER BY first, last_end ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)))) AS gap
    FROM batch_ledger
    WHERE last_end > $__fromTime AND first < $__toTime
      AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
)
GROUP BY sensor
ORDER BY "missing" DESC, sensor
LIMIT 1000
