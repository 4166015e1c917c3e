-- Whether packets begin a conversation (`Traffic::is_scan`) or answer a forged one (`Traffic::is_backscatter`), said once
-- for every question. Nothing is stored for it: the classes are in this order.
ALTER TABLE flow_tuples{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE flow_tuples{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

ALTER TABLE minute_rollup{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE minute_rollup{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

ALTER TABLE ten_minute_rollup{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE ten_minute_rollup{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

ALTER TABLE hour_rollup{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE hour_rollup{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

ALTER TABLE day_rollup{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE day_rollup{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

ALTER TABLE hourly_sources{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

{cluster_only} ALTER TABLE hourly_sources{on_cluster}
    ADD COLUMN IF NOT EXISTS is_scan Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    ADD COLUMN IF NOT EXISTS is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp';

-- Losses of the epoch so far, parted as `Losses::total` parts them: frames that became no packets, and packets that
-- were lost beside them, before the capture or on their way.
ALTER TABLE batch_ledger{local}{on_cluster}
    ADD COLUMN IF NOT EXISTS epoch_lost UInt64 ALIAS arraySum(mapValues(mapFilter((reason, total) -> reason IN
        ('spool_full', 'spool_damaged', 'refused', 'kernel_dropped', 'interface_dropped'), epoch_losses))),
    ADD COLUMN IF NOT EXISTS epoch_unread UInt64 ALIAS arraySum(mapValues(epoch_losses)) - epoch_lost;

{cluster_only} ALTER TABLE batch_ledger{on_cluster}
    ADD COLUMN IF NOT EXISTS epoch_lost UInt64 ALIAS arraySum(mapValues(mapFilter((reason, total) -> reason IN
        ('spool_full', 'spool_damaged', 'refused', 'kernel_dropped', 'interface_dropped'), epoch_losses))),
    ADD COLUMN IF NOT EXISTS epoch_unread UInt64 ALIAS arraySum(mapValues(epoch_losses)) - epoch_lost;

CREATE OR REPLACE VIEW sensor_health{on_cluster} AS
SELECT
    toStartOfMinute(last_end - 1) AS minute,
    sensor,
    epoch,
    toUInt64(1) AS batches,
    flows,
    packets,
    epoch_frames,
    epoch_packets,
    epoch_losses,
    epoch_lost,
    epoch_unread,
    telescope_addresses,
    complete_through,
    kept_at,
    toFloat64(kept_at) - toFloat64(last_end) AS lag_seconds
FROM batch_ledger;
