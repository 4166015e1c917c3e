-- Frames of a sensor's run, less packets, less losses: by law nothing is left.
SELECT sum(abs(frames - counted - lost)) AS unaccounted
FROM
(
    SELECT
        sensor,
        epoch,
        toInt64(max(epoch_frames)) AS frames,
        toInt64(max(epoch_packets)) AS counted,
        toInt64(arraySum(mapValues(maxMap(epoch_losses)))) AS lost
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor, epoch
)
