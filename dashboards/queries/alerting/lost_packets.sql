-- Packets of the last hour's runs that the kernel, the interface or a full spool lost, per million.
SELECT if(sum(counted) = 0, 0, 1000000 * sum(lost) / sum(counted)) AS lost
FROM
(
    SELECT
        sensor,
        epoch,
        max(epoch_packets) - min(epoch_packets) AS counted,
        arraySum(mapValues(mapFilter(
            (reason, total) -> reason IN ('spool_full', 'spool_damaged', 'refused', 'kernel_dropped', 'interface_dropped'),
            maxMap(epoch_losses))))
        - arraySum(mapValues(mapFilter(
            (reason, total) -> reason IN ('spool_full', 'spool_damaged', 'refused', 'kernel_dropped', 'interface_dropped'),
            minMap(epoch_losses)))) AS lost
    FROM batch_ledger
    WHERE kept_at >= now() - INTERVAL 1 HOUR
    GROUP BY sensor, epoch
)
