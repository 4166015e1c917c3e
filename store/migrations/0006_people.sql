-- What people do with cases, beside what the analyzer says of them: nobody writes a row that is
-- another's. Steps are kept in the order they came; where a case stands follows from folding them.
CREATE TABLE IF NOT EXISTS case_steps{local}{on_cluster}
(
    id          UUID,
    step        UUID COMMENT 'drawn by whoever took it: recording it twice changes nothing',
    recorded_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'wall time at the store: the order of steps and feeds',
    at          DateTime64(3, 'UTC') COMMENT 'wall time at whoever took it',
    by          LowCardinality(String) COMMENT 'operator:NAME, or analyzer',
    event       LowCardinality(String),
    note        String,
    probability Nullable(Float64) COMMENT 'of the silence, had nothing changed',
    partner     LowCardinality(String),
    INDEX by_recording recorded_at TYPE minmax GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (id, step)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS case_steps{on_cluster} AS case_steps_local
ENGINE = Distributed({cluster}, currentDatabase(), case_steps_local, cityHash64(id));

-- What was seen of each case on each day of UTC. Counts only grow, so of two rows the one with more
-- packets is the later. Read with FINAL.
CREATE TABLE IF NOT EXISTS observations{local}{on_cluster}
(
    id      UUID,
    day     Date,
    partner LowCardinality(String),
    packets UInt64,
    targets UInt64,
    first   DateTime64(3, 'UTC'),
    last    DateTime64(3, 'UTC'),
    sensors Array(LowCardinality(String)) COMMENT 'at most 256'
)
ENGINE = {replicated}ReplacingMergeTree(packets)
PARTITION BY toYYYYMM(day)
ORDER BY (id, day)
SETTINGS index_granularity = 512;

{cluster_only} CREATE TABLE IF NOT EXISTS observations{on_cluster} AS observations_local
ENGINE = Distributed({cluster}, currentDatabase(), observations_local, cityHash64(id));

-- When sensors are worked on: their silence means nothing then.
CREATE TABLE IF NOT EXISTS maintenance{local}{on_cluster}
(
    id     UUID,
    sensor LowCardinality(String),
    from   DateTime64(3, 'UTC'),
    until  DateTime64(3, 'UTC'),
    by     LowCardinality(String),
    reason String,
    at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {replicated}ReplacingMergeTree(at)
PARTITION BY toYYYYMM(from)
ORDER BY id;

{cluster_only} CREATE TABLE IF NOT EXISTS maintenance{on_cluster} AS maintenance_local
ENGINE = Distributed({cluster}, currentDatabase(), maintenance_local, cityHash64(id));

-- Cases that rest on evidence from elsewhere, such as logs of a command-and-control server after a
-- take-down. A table of their own: no surge, statistic, backtest or dashboard can read them by
-- mistake, and all of it goes after its own, short time.
CREATE TABLE IF NOT EXISTS notices{local}{on_cluster}
(
    id          UUID,
    version     UInt64,
    recorded_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'wall time at the store: the order of feeds',
    at          DateTime64(3, 'UTC') COMMENT 'of the notice',
    by          LowCardinality(String),
    purpose     String COMMENT 'what the evidence may be used for',
    partner     LowCardinality(String),
    subject     String,
    body        String COMMENT 'the alert as JSON' CODEC(ZSTD(3)),
    INDEX by_recording recorded_at TYPE minmax GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMMDD(at)
ORDER BY (id, version)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS notices{on_cluster} AS notices_local
ENGINE = Distributed({cluster}, currentDatabase(), notices_local, cityHash64(id));
