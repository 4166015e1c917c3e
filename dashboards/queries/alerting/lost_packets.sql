-- Packets of the last hour's runs that the kernel, the interface or a full spool lost, per million.
SELECT if(sum(counted) = 0, 0, 1000000 * sum(lost) / sum(counted)) AS lost
FROM
(
    SELECT
        sensor,
        epoch,
        max(epoch_packets) - min(epoch_packets) AS counted,
        max(epoch_lost) - min(epoch_lost) AS lost
    FROM batch_ledger
    WHERE kept_at >= now() - INTERVAL 1 HOUR
    GROUP BY sensor, epoch
)
