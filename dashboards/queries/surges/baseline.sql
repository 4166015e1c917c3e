-- What is usual: the middle of the same ten minutes of the seven days before. The bound is six robust
-- deviations above it, a deviation being at least the root of the middle, as counts have.
WITH counted AS
(
    SELECT start, uniqCombinedMerge(sources) AS seen
    FROM ten_minute_rollup FINAL
    WHERE start >= $__fromTime - INTERVAL 7 DAY AND start <= $__toTime
      AND transport = splitByChar('/', ${service:singlequote})[1]
      AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY start
)
SELECT
    present.start AS time,
    any(present.seen) AS sources,
    quantileExactIf(0.5)(past.seen, past.start < present.start) AS usual,
    usual + 6 * greatest(sqrt(greatest(usual, 1)),
        (quantileExactIf(0.75)(past.seen, past.start < present.start)
            - quantileExactIf(0.25)(past.seen, past.start < present.start)) / 1.35) AS bound
FROM counted AS present
LEFT JOIN counted AS past ON toUnixTimestamp(past.start) % 86400 = toUnixTimestamp(present.start) % 86400
WHERE $__timeFilter(present.start)
GROUP BY time
ORDER BY time
