-- Frames of a run, less packets, less what was dropped while reading: nothing may be left.
SELECT sum(abs(frames - counted - lost)) AS unaccounted
FROM
(
    SELECT
        sensor,
        epoch,
        toInt64(max(epoch_frames)) AS frames,
        toInt64(max(epoch_packets)) AS counted,
        toInt64(arraySum(mapValues(mapFilter(
            (reason, total) -> reason NOT IN
                ('spool_full', 'spool_damaged', 'refused', 'kernel_dropped', 'interface_dropped'),
            maxMap(epoch_losses))))) AS lost
    FROM batch_ledger
    WHERE kept_at >= now() - INTERVAL 1 DAY
    GROUP BY sensor, epoch
)
