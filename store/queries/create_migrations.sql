CREATE TABLE IF NOT EXISTS migrations{local}{on_cluster}
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY version;

{cluster_only} CREATE TABLE IF NOT EXISTS migrations{on_cluster} AS migrations_local
ENGINE = Distributed({cluster}, currentDatabase(), migrations_local, 0);
