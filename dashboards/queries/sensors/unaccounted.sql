-- Frames of a sensor's run, less packets, less what was dropped while reading: nothing may be left.
-- What the kernel or a full spool drops never was a frame, or was a packet already.
SELECT sum(abs(frames - counted - lost)) AS unaccounted
FROM
(
    SELECT
        sensor,
        epoch,
        toInt64(max(epoch_frames)) AS frames,
        toInt64(max(epoch_packets)) AS counted,
        toInt64(max(epoch_unread)) AS lost
    FROM sensor_health
    WHERE $__timeFilter(minute) AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor)
    GROUP BY sensor, epoch
)
