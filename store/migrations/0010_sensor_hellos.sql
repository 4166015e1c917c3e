-- What each sensor said of itself when it came last. Its word: nothing rests on it. Read with FINAL.
CREATE TABLE IF NOT EXISTS sensor_hellos{local}{on_cluster}
(
    sensor        LowCardinality(String),
    at            DateTime64(3, 'UTC') COMMENT 'wall time at the collector',
    epoch         UInt64,
    version       String,
    clock_ahead   Int64 COMMENT 'milliseconds by which its clock was ahead; the way of the hello counts below'
)
ENGINE = {replicated}ReplacingMergeTree(at)
ORDER BY sensor;

{cluster_only} CREATE TABLE IF NOT EXISTS sensor_hellos{on_cluster} AS sensor_hellos_local
ENGINE = Distributed({cluster}, currentDatabase(), sensor_hellos_local, cityHash64(sensor));
