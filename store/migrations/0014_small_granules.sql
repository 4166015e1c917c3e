-- The rollups of hours and of days by service, in granules of 256 rows instead of 8,192: whoever ranks services by their
-- sources reads the sets of some hundred services, and there is one of them in nearly every larger granule.
--
-- A table's granules cannot be changed, so another takes its name. Each statement may run again after a crash anywhere: the
-- table is made empty where the old one is gone already and the new one does not bear its name yet.
CREATE TABLE IF NOT EXISTS hour_rollup_next{local}{on_cluster} AS ten_minute_rollup{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS hour_rollup_next{on_cluster} AS hour_rollup_next_local
ENGINE = Distributed({cluster}, currentDatabase(), hour_rollup_next_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS hour_rollup{local}{on_cluster} AS hour_rollup_next{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start);

INSERT INTO hour_rollup_next
    (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start, flows, packets, bytes, sources,
     networks)
SELECT transport, service_port, traffic, country, partner, known_scanner, bogon_source, start, flows, packets, bytes, sources,
       networks
FROM hour_rollup
SETTINGS max_partitions_per_insert_block = 0;

DROP TABLE hour_rollup{local}{on_cluster} SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE hour_rollup_next{local} TO hour_rollup{local}{on_cluster};

{cluster_only} DROP TABLE hour_rollup_next{on_cluster};

CREATE TABLE IF NOT EXISTS day_rollup_next{local}{on_cluster} AS ten_minute_rollup{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYear(start)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS day_rollup_next{on_cluster} AS day_rollup_next_local
ENGINE = Distributed({cluster}, currentDatabase(), day_rollup_next_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS day_rollup{local}{on_cluster} AS day_rollup_next{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start);

INSERT INTO day_rollup_next
    (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start, flows, packets, bytes, sources,
     networks)
SELECT transport, service_port, traffic, country, partner, known_scanner, bogon_source, start, flows, packets, bytes, sources,
       networks
FROM day_rollup
SETTINGS max_partitions_per_insert_block = 0;

DROP TABLE day_rollup{local}{on_cluster} SYNC SETTINGS max_table_size_to_drop = 0;

RENAME TABLE day_rollup_next{local} TO day_rollup{local}{on_cluster};

{cluster_only} DROP TABLE day_rollup_next{on_cluster};

-- Days of each service over all countries, the service first.
CREATE TABLE IF NOT EXISTS day_services{local}{on_cluster} AS hour_services{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYear(start)
ORDER BY (transport, service_port, traffic, known_scanner, start)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS day_services{on_cluster} AS day_services_local
ENGINE = Distributed({cluster}, currentDatabase(), day_services_local, cityHash64(start));

INSERT INTO day_services (start, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM day_rollup AS kept FINAL
GROUP BY start, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

-- Two views for lists, which need no steps of time: sums of what was seen from one time to another. Of more than two days,
-- whole days as far as they are made, hours before and after them, and ten minutes where hours are not made; else in the
-- grain of `service_places`. Not made of that: an engine plans each view within a view anew.
-- Of each service over all countries, in place of `services`, whose steps of time nobody asked for:
DROP VIEW IF EXISTS services{on_cluster};

CREATE OR REPLACE VIEW service_sums{on_cluster} AS
WITH
    {to:DateTime} - {from:DateTime} AS length,
    (
        SELECT (maxIf(period, rolled_up.seconds = 600) + 600,
                maxIf(period, rolled_up.seconds = 3600) + 3600,
                maxIf(period, rolled_up.seconds = 86400) + 86400)
        FROM rolled_up
    ) AS made,
    toStartOfDay({from:DateTime} + 86399, 'UTC') AS days_from,
    least(toStartOfDay({to:DateTime}, 'UTC'), made.3) AS days_end
SELECT
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime}
  AND (length <= 10800 OR length <= 172800 AND minute >= made.1)
UNION ALL
SELECT
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM ten_minute_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 10800
  AND (length <= 172800 OR start >= made.2)
UNION ALL
SELECT
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM hour_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 172800
  AND (start < days_from OR start >= days_end)
UNION ALL
SELECT
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM day_services FINAL
WHERE start >= days_from AND start < days_end AND length > 172800;

-- Of each service in each country:
CREATE OR REPLACE VIEW service_place_sums{on_cluster} AS
WITH
    {to:DateTime} - {from:DateTime} AS length,
    (
        SELECT (maxIf(period, rolled_up.seconds = 600) + 600,
                maxIf(period, rolled_up.seconds = 3600) + 3600,
                maxIf(period, rolled_up.seconds = 86400) + 86400)
        FROM rolled_up
    ) AS made,
    toStartOfDay({from:DateTime} + 86399, 'UTC') AS days_from,
    least(toStartOfDay({to:DateTime}, 'UTC'), made.3) AS days_end
SELECT
    transport, service_port, country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime}
  AND (length <= 10800 OR length <= 172800 AND minute >= made.1)
UNION ALL
SELECT
    transport, service_port, country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM ten_minute_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 10800
  AND (length <= 172800 OR start >= made.2)
UNION ALL
SELECT
    transport, service_port, country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM hour_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 172800
  AND (start < days_from OR start >= days_end)
UNION ALL
SELECT
    transport, service_port, country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM day_rollup FINAL
WHERE start >= days_from AND start < days_end AND length > 172800;
