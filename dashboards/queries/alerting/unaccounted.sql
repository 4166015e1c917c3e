-- Frames of a run, less packets, less what was dropped while reading: nothing may be left.
SELECT sum(abs(frames - counted - lost)) AS unaccounted
FROM
(
    SELECT
        sensor,
        epoch,
        toInt64(max(epoch_frames)) AS frames,
        toInt64(max(epoch_packets)) AS counted,
        toInt64(max(epoch_unread)) AS lost
    FROM batch_ledger
    WHERE kept_at >= now() - INTERVAL 1 DAY
    GROUP BY sensor, epoch
)
