-- One row per batch that is in the store: written last, so its presence is the commit.
--
-- `span_first` and `span_end` are the intervals the sensor watched, silent ones included, joined
-- where they touch: zero is told from missing, at one pair per stretch whatever its length.
CREATE TABLE IF NOT EXISTS batch_ledger{local}{on_cluster}
(
    sensor              LowCardinality(String),
    epoch               UInt64,
    sequence            UInt64 CODEC(Delta, ZSTD(1)),
    checksum            UInt64 CODEC(NONE),
    kept_at             DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'wall time' CODEC(Delta, ZSTD(1)),
    interval_seconds    UInt8,
    span_first          Array(DateTime('UTC')),
    span_end            Array(DateTime('UTC')),
    first               DateTime('UTC') COMMENT 'first second watched' CODEC(Delta, ZSTD(1)),
    last_end            DateTime('UTC') COMMENT 'the second after the last one watched' CODEC(Delta, ZSTD(1)),
    complete_through    DateTime('UTC') CODEC(Delta, ZSTD(1)),
    telescope_addresses UInt64,
    target_bits         UInt8,
    flows               UInt64 CODEC(T64, ZSTD(1)),
    packets             UInt64 CODEC(T64, ZSTD(1)),
    epoch_frames        UInt64 COMMENT 'of the epoch so far, this batch included' CODEC(Delta, ZSTD(1)),
    epoch_packets       UInt64 COMMENT 'of the epoch so far, this batch included' CODEC(Delta, ZSTD(1)),
    epoch_losses        Map(String, UInt64) COMMENT 'of the epoch so far, by reason',
    INDEX by_end last_end TYPE minmax GRANULARITY 1,
    INDEX by_arrival kept_at TYPE minmax GRANULARITY 1
)
ENGINE = {replicated}MergeTree
PARTITION BY toYYYYMM(last_end)
ORDER BY (sensor, epoch, sequence)
SETTINGS {deduplication}, index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS batch_ledger{on_cluster} AS batch_ledger_local
ENGINE = Distributed({cluster}, currentDatabase(), batch_ledger_local, cityHash64(sensor));

-- How each sensor fared, per minute of event time. `epoch_…` are totals of the epoch so far, as the
-- sensor counted them: one that a crash kept out is made good by the next. Batches, flows and packets
-- are sums for pictures; a crash right after the ledger's part may cost them a batch. What has to be
-- exact is asked of the ledger.
CREATE TABLE IF NOT EXISTS sensor_health{local}{on_cluster}
(
    minute              DateTime('UTC') CODEC(Delta, ZSTD(1)),
    sensor              LowCardinality(String),
    epoch               UInt64,
    batches             SimpleAggregateFunction(sum, UInt64),
    flows               SimpleAggregateFunction(sum, UInt64),
    packets             SimpleAggregateFunction(sum, UInt64),
    epoch_frames        SimpleAggregateFunction(max, UInt64),
    epoch_packets       SimpleAggregateFunction(max, UInt64),
    epoch_losses        SimpleAggregateFunction(maxMap, Map(String, UInt64)),
    telescope_addresses SimpleAggregateFunction(max, UInt64),
    complete_through    SimpleAggregateFunction(max, DateTime('UTC')),
    kept_at             SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    lag_seconds         SimpleAggregateFunction(max, Float64) COMMENT 'from the end of an interval to the store'
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, sensor, epoch)
SETTINGS {deduplication}, ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS sensor_health{on_cluster} AS sensor_health_local
ENGINE = Distributed({cluster}, currentDatabase(), sensor_health_local, cityHash64(sensor));

CREATE MATERIALIZED VIEW IF NOT EXISTS sensor_health_view{on_cluster} TO sensor_health{local} AS
SELECT
    toStartOfMinute(last_end - 1) AS minute,
    sensor,
    epoch,
    count() AS batches,
    sum(batch_ledger{local}.flows) AS flows,
    sum(batch_ledger{local}.packets) AS packets,
    max(batch_ledger{local}.epoch_frames) AS epoch_frames,
    max(batch_ledger{local}.epoch_packets) AS epoch_packets,
    maxMap(batch_ledger{local}.epoch_losses) AS epoch_losses,
    max(batch_ledger{local}.telescope_addresses) AS telescope_addresses,
    max(batch_ledger{local}.complete_through) AS complete_through,
    max(batch_ledger{local}.kept_at) AS kept_at,
    max(toFloat64(batch_ledger{local}.kept_at) - toFloat64(last_end)) AS lag_seconds
FROM batch_ledger{local}
GROUP BY minute, sensor, epoch;
