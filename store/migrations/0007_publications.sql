-- Claims to be the only one in a role (the analyzer, the publisher): of those with the greatest
-- token the first by `holder` holds it. Takes the place of `analyzer_lease`.
CREATE TABLE IF NOT EXISTS leases{local}{on_cluster}
(
    role   LowCardinality(String),
    token  UInt64,
    holder String,
    until  DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(until)
ORDER BY (role, token, holder);

{cluster_only} CREATE TABLE IF NOT EXISTS leases{on_cluster} AS leases_local
ENGINE = Distributed({cluster}, currentDatabase(), leases_local, cityHash64(role));

-- Positions are told apart by their lease's token, so tokens go on from where they were. The old
-- table stays, unread: without it this could not be done again after a crash.
INSERT INTO leases SELECT 'analyzer', token, holder, until FROM analyzer_lease;

-- STIX objects as they were published, one row per partner, object and version: written by one
-- publisher, in blocks, never changed. Within a partner `added` is unique and only grows, so it
-- alone says how far a reader has come.
CREATE TABLE IF NOT EXISTS stix_objects{local}{on_cluster}
(
    partner  LowCardinality(String),
    added    DateTime64(3, 'UTC') COMMENT 'when it was published; TAXII calls it date_added',
    id       String,
    type     LowCardinality(String),
    version  DateTime64(3, 'UTC') COMMENT 'modified; created or added where an object has none',
    content  UInt64 COMMENT 'hash of the object without modified: equal where it says nothing new',
    revoked  UInt8 COMMENT 'its last version: nothing follows',
    imported UInt8 COMMENT 'rests on imported evidence, which is kept for a shorter time',
    body     String COMMENT 'the object as JSON' CODEC(ZSTD(3)),
    INDEX by_id id TYPE bloom_filter GRANULARITY 1
)
ENGINE = {replicated}MergeTree
PARTITION BY toYYYYMM(added)
ORDER BY (partner, added)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS stix_objects{on_cluster} AS stix_objects_local
ENGINE = Distributed({cluster}, currentDatabase(), stix_objects_local, cityHash64(partner));
