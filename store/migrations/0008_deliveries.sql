-- What is pushed to partners: one row per message, its last revision counts. Read with FINAL.
-- A change of a case is a message of its own, also where a digest carries it to its partner: then
-- `within` names the digest. Digest and what it carries are written in one block, so not partitioned.
CREATE TABLE IF NOT EXISTS deliveries{local}{on_cluster}
(
    partner     LowCardinality(String),
    channel     LowCardinality(String) COMMENT 'mail, syslog, webhook DIGEST-OF-URL, …',
    id          UUID COMMENT 'follows from what is said, so that planning it again makes no twin',
    revision    UInt64,
    form        LowCardinality(String) COMMENT 'single, listed, digest, overflow, summary',
    state       LowCardinality(String) COMMENT 'waiting, unreached, held, disabled, folded, delivered, given_up',
    `case`      UUID COMMENT 'zero where it carries many',
    event       LowCardinality(String) COMMENT 'opened, raised, closed, …',
    severity    LowCardinality(String),
    recorded    Int64 COMMENT 'when the change was recorded, in microseconds: the order of a case''s events',
    attempt     UInt32 COMMENT 'how often it was tried',
    planned_at  DateTime64(3, 'UTC') COMMENT 'wall time at the deliverer, as below',
    released_at DateTime64(3, 'UTC') COMMENT 'first tried; 1970 before',
    next_at     DateTime64(3, 'UTC') COMMENT 'not tried before',
    within      UUID COMMENT 'the message that carries it; zero where it goes alone',
    error       String COMMENT 'of the last attempt',
    body        String COMMENT 'what it says, as JSON: rendered alike at each attempt' CODEC(ZSTD(3)),
    INDEX by_case `case` TYPE bloom_filter GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree(revision)
ORDER BY (partner, channel, id)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS deliveries{on_cluster} AS deliveries_local
ENGINE = Distributed({cluster}, currentDatabase(), deliveries_local, cityHash64(partner, channel));
