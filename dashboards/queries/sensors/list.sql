SELECT
    sensor,
    max(through) AS "complete through",
    sum(frames) AS "frames",
    sum(counted) AS "packets",
    sum(losses['outside_telescope']) AS "outside telescope",
    sum(losses['kernel_dropped'] + losses['interface_dropped']) AS "dropped before",
    sum(losses['tuples_over_limit'] + losses['spool_full'] + losses['spool_damaged']
        + losses['refused']) AS "dropped after",
    sum(arraySum(mapValues(losses))) - "outside telescope" - "dropped before" - "dropped after"
        AS "undecodable",
    round(100 * ("dropped before" + "dropped after") / greatest(1, "frames" + "dropped before"), 2)
        AS "lost %",
    count() AS runs,
    argMax(watched, through) AS addresses,
    max(lag) AS "worst lag"
FROM
(
    SELECT
        sensor,
        epoch,
        max(complete_through) AS through,
        max(epoch_frames) AS frames,
        max(epoch_packets) AS counted,
        maxMap(epoch_losses) AS losses,
        argMax(telescope_addresses, minute) AS watched,
        max(lag_seconds) AS lag
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor, epoch
)
GROUP BY sensor
ORDER BY "complete through", sensor
LIMIT 1000
