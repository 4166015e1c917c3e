-- Every transition of every case, as it was recorded. Recording one again (after a crash between
-- this table and `alerts`, or between both and the analyzer's position) replaces it by itself.
CREATE TABLE IF NOT EXISTS alert_history{local}{on_cluster}
(
    id          UUID,
    version     UInt64 COMMENT '1 when opened, one more per transition',
    recorded_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'wall time at the store: the order of feeds',
    at          DateTime64(3, 'UTC') COMMENT 'wall time at whoever made the transition',
    by          LowCardinality(String) COMMENT 'analyzer, or operator:NAME',
    note        String,
    state       LowCardinality(String),
    partner     LowCardinality(String),
    body        String COMMENT 'the alert as JSON after the transition' CODEC(ZSTD(3)),
    INDEX by_recording recorded_at TYPE minmax GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (id, version)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS alert_history{on_cluster} AS alert_history_local
ENGINE = Distributed({cluster}, currentDatabase(), alert_history_local, cityHash64(id));

-- Each case in its last state. Read with FINAL.
CREATE TABLE IF NOT EXISTS alerts{local}{on_cluster}
(
    id          UUID,
    version     UInt64,
    kind        LowCardinality(String),
    state       LowCardinality(String),
    severity    LowCardinality(String),
    confidence  LowCardinality(String),
    tlp         LowCardinality(String),
    partner     LowCardinality(String) COMMENT 'empty: for the centre alone',
    country     LowCardinality(String),
    subject     String COMMENT 'address, prefix, service, country or sensor',
    opened_at   DateTime64(3, 'UTC'),
    first_seen  DateTime64(3, 'UTC'),
    last_seen   DateTime64(3, 'UTC'),
    detected_at DateTime64(3, 'UTC'),
    packets     UInt64,
    reason_code LowCardinality(String),
    exercise    UInt8,
    body        String COMMENT 'the alert as JSON' CODEC(ZSTD(3))
)
ENGINE = {replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(opened_at)
ORDER BY id
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS alerts{on_cluster} AS alerts_local
ENGINE = Distributed({cluster}, currentDatabase(), alerts_local, cityHash64(id));
