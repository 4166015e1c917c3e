-- How each sensor is: until when its reports are complete, what it counted and lost, how late it was.
SELECT
    name,
    toUInt64(max(through)) AS complete,
    toUInt64(sum(frames)) AS all_frames,
    toUInt64(sum(counted)) AS all_packets,
    toUInt64(sum(arraySum(mapValues(losses)))) AS lost,
    toUInt64(argMax(watched, through)) AS addresses,
    max(lag) AS worst_lag
FROM
(
    SELECT
        toString(sensor) AS name,
        epoch,
        toUnixTimestamp(max(complete_through)) AS through,
        max(epoch_frames) AS frames,
        max(epoch_packets) AS counted,
        maxMap(epoch_losses) AS losses,
        argMax(telescope_addresses, minute) AS watched,
        max(lag_seconds) AS lag
    FROM sensor_health
    WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
    GROUP BY sensor, epoch
)
GROUP BY name
ORDER BY name
LIMIT 10000
