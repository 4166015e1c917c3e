-- Periods in which the coarser table has fewer flows than the finer one.
SELECT period
FROM
(
    SELECT toUInt64(intDiv(toUnixTimestamp({time:Identifier}), {seconds:UInt64}) * {seconds:UInt64}) AS period,
           sum(flows) AS present
    FROM {source:Identifier}
    WHERE {time:Identifier} >= toDateTime({start:UInt64}, 'UTC') AND {time:Identifier} < toDateTime({end:UInt64}, 'UTC')
    GROUP BY period
) AS finer
LEFT JOIN
(
    SELECT toUInt64(toUnixTimestamp({target_time:Identifier})) AS period, sum(flows) AS made
    FROM {target:Identifier} FINAL
    WHERE {target_time:Identifier} >= toDateTime({start:UInt64}, 'UTC')
      AND {target_time:Identifier} < toDateTime({end:UInt64}, 'UTC')
    GROUP BY period
) AS coarser USING period
WHERE present > made
ORDER BY period
