-- Claims to be the one analyzer: of those with the greatest token the first by `holder` holds it.
CREATE TABLE IF NOT EXISTS analyzer_lease{local}{on_cluster}
(
    token  UInt64,
    holder String,
    until  DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(until)
ORDER BY (token, holder);

{cluster_only} CREATE TABLE IF NOT EXISTS analyzer_lease{on_cluster} AS analyzer_lease_local
ENGINE = Distributed({cluster}, currentDatabase(), analyzer_lease_local, 0);

-- How far the analyzer has come, in event time. The greatest token wins, then the greatest position.
CREATE TABLE IF NOT EXISTS analyzer_position{local}{on_cluster}
(
    token    UInt64,
    position DateTime('UTC') COMMENT 'event time: every interval before it has been examined',
    taken    DateTime64(3, 'UTC') COMMENT 'wall time: what was kept before it has been taken in'
)
ENGINE = {replicated}ReplacingMergeTree(position)
ORDER BY token;

{cluster_only} CREATE TABLE IF NOT EXISTS analyzer_position{on_cluster} AS analyzer_position_local
ENGINE = Distributed({cluster}, currentDatabase(), analyzer_position_local, 0);

-- How far each feed's reader has come.
CREATE TABLE IF NOT EXISTS feed_cursors{local}{on_cluster}
(
    feed     String,
    cursor   String,
    moved_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = {replicated}ReplacingMergeTree(moved_at)
ORDER BY feed;

{cluster_only} CREATE TABLE IF NOT EXISTS feed_cursors{on_cluster} AS feed_cursors_local
ENGINE = Distributed({cluster}, currentDatabase(), feed_cursors_local, cityHash64(feed));

-- Who looked at or changed what, and why.
CREATE TABLE IF NOT EXISTS audit{local}{on_cluster}
(
    at      DateTime64(3, 'UTC') DEFAULT now64(3),
    who     LowCardinality(String),
    action  String,
    purpose String
)
ENGINE = {replicated}MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, who);

{cluster_only} CREATE TABLE IF NOT EXISTS audit{on_cluster} AS audit_local
ENGINE = Distributed({cluster}, currentDatabase(), audit_local, rand());
