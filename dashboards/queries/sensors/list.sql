SELECT
    sensor,
    max(through) AS "complete through",
    sum(frames) AS "frames",
    sum(counted) AS "packets",
    sum(lost) AS "losses",
    round(100 * "losses" / greatest(1, "frames"), 2) AS "lost %",
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
        arraySum(mapValues(maxMap(epoch_losses))) AS lost,
        argMax(telescope_addresses, minute) AS watched,
        max(lag_seconds) AS lag
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor, epoch
)
GROUP BY sensor
ORDER BY "complete through", sensor
LIMIT 1000
