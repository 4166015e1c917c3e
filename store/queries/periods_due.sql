-- Periods in which there is more than there was when they were made, and how much.
SELECT period, present AS flows
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
    SELECT toUInt64(toUnixTimestamp(rolled_up.period)) AS period, max(flows) AS made
    FROM rolled_up
    WHERE rolled_up.seconds = {seconds:UInt64}
      AND rolled_up.period >= toDateTime({start:UInt64}, 'UTC') AND rolled_up.period < toDateTime({end:UInt64}, 'UTC')
    GROUP BY period
) AS coarser USING period
WHERE present > made
ORDER BY period
