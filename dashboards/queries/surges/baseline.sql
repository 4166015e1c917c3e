-- What is usual: the middle of the same ten minutes of the seven days before. The bound is six robust
-- deviations above it, a deviation being at least the root of the middle, as counts have.
SELECT
    start AS time,
    seen AS sources,
    middle AS usual,
    middle + 6 * greatest(sqrt(greatest(middle, 1)), (upper - lower) / 1.35) AS bound
FROM
(
    SELECT
        start,
        seen,
        quantileExact(0.25)(seen) OVER days AS lower,
        quantileExact(0.5)(seen) OVER days AS middle,
        quantileExact(0.75)(seen) OVER days AS upper
    FROM
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
    WINDOW days AS
    (
        PARTITION BY toUnixTimestamp(start) % 86400 ORDER BY toUnixTimestamp(start)
        RANGE BETWEEN 604800 PRECEDING AND 1 PRECEDING
    )
)
WHERE $__timeFilter(start)
ORDER BY time
