-- What is sent to partners, message by message: planned before the cursor that led to it moves on,
-- and one row more with each attempt. A message has one id for ever, so planning it again after a
-- crash changes nothing, and sending it again says so to whoever receives it. Read with FINAL.
CREATE TABLE IF NOT EXISTS deliveries{local}{on_cluster}
(
    partner    LowCardinality(String),
    feed       LowCardinality(String) COMMENT 'by what it goes, such as webhook:soc',
    id         UUID COMMENT 'of the message',
    case       UUID COMMENT 'what it is about',
    what       LowCardinality(String) COMMENT 'opened, urgent, closed, withdrawn, confirmed, quiet; or digest',
    planned_at DateTime64(3, 'UTC') COMMENT 'when the change was recorded that it tells of',
    attempt    UInt32 COMMENT '0 when planned, one more with each attempt',
    state      LowCardinality(String) COMMENT 'waiting, digest, folded, delivered, failed',
    next_at    DateTime64(3, 'UTC') COMMENT 'when it is tried next; of a digest and what is in it, when that was due',
    error      String COMMENT 'why the last attempt failed'
)
ENGINE = {replicated}ReplacingMergeTree(attempt)
PARTITION BY toYYYYMM(planned_at)
ORDER BY (partner, feed, id)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS deliveries{on_cluster} AS deliveries_local
ENGINE = Distributed({cluster}, currentDatabase(), deliveries_local, cityHash64(partner));
