-- What each sensor said of itself: the last totals of each epoch, added up.
SELECT
    sensor,
    sum(frames) AS frames,
    sum(said) AS said,
    CAST(sumMap(losses), 'Array(Tuple(String, UInt64))') AS losses,
    sum(kept_flows) AS kept_flows,
    sum(kept_packets) AS kept_packets
FROM
(
    SELECT sensor, epoch, max(epoch_frames) AS frames, max(epoch_packets) AS said,
           maxMap(epoch_losses) AS losses, sum(flows) AS kept_flows, sum(packets) AS kept_packets
    FROM batch_ledger
    GROUP BY sensor, epoch
)
GROUP BY sensor
ORDER BY sensor
