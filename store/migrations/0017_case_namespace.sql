-- What ids of cases are derived in: drawn once for this store, and told to nobody. Who is shown a case without its address
-- could else derive the id of every address until one matches.
CREATE TABLE IF NOT EXISTS case_namespace{local}{on_cluster}
(
    drawn_at  DateTime64(6, 'UTC') DEFAULT now64(6),
    namespace UUID
)
ENGINE = {replicated}MergeTree
ORDER BY (drawn_at, namespace);

{cluster_only} CREATE TABLE IF NOT EXISTS case_namespace{on_cluster} AS case_namespace_local
ENGINE = Distributed({cluster}, currentDatabase(), case_namespace_local, 0);
