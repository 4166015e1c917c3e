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

-- How each sensor fares, a row per batch, by minute of event time. `epoch_…` are totals of the epoch so
-- far. A plain view: exact, and no part more for each insert.
CREATE VIEW IF NOT EXISTS sensor_health{on_cluster} AS
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
    telescope_addresses,
    complete_through,
    kept_at,
    toFloat64(kept_at) - toFloat64(last_end) AS lag_seconds
FROM batch_ledger;
