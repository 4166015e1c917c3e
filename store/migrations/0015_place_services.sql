-- What was seen of each service in each country, the time first and the country next: a list of one country's services reads
-- that country's rows of that time alone, however long the store has been kept. The rollups have the service first: for such
-- a list all ten minutes of a month, all hours of a month or all days of a year were looked at.
CREATE TABLE IF NOT EXISTS ten_minute_place_services{local}{on_cluster}
(
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    country       LowCardinality(String),
    transport     Enum8('tcp' = 1, 'udp' = 2, 'icmp' = 3, 'icmp6' = 4, 'ip' = 5) CODEC(ZSTD(1)),
    service_port  UInt16 CODEC(ZSTD(1)),
    traffic       Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                        'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                        'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                        'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    known_scanner UInt8 CODEC(ZSTD(1)),
    flows         UInt64 CODEC(T64, ZSTD(1)),
    packets       UInt64 CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    is_scan        Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp'
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (start, country, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS ten_minute_place_services{on_cluster} AS ten_minute_place_services_local
ENGINE = Distributed({cluster}, currentDatabase(), ten_minute_place_services_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS hour_place_services{local}{on_cluster} AS ten_minute_place_services{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (start, country, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS hour_place_services{on_cluster} AS hour_place_services_local
ENGINE = Distributed({cluster}, currentDatabase(), hour_place_services_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS day_place_services{local}{on_cluster} AS ten_minute_place_services{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYear(start)
ORDER BY (start, country, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

{cluster_only} CREATE TABLE IF NOT EXISTS day_place_services{on_cluster} AS day_place_services_local
ENGINE = Distributed({cluster}, currentDatabase(), day_place_services_local, cityHash64(start));

INSERT INTO ten_minute_place_services
    (start, country, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, country, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM ten_minute_rollup AS kept FINAL
GROUP BY start, country, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

INSERT INTO hour_place_services
    (start, country, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, country, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM hour_rollup AS kept FINAL
GROUP BY start, country, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

INSERT INTO day_place_services
    (start, country, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, country, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM day_rollup AS kept FINAL
GROUP BY start, country, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

-- Days of each service over all countries had the service first: a week's list looked at all days of a year. Made anew from the
-- days by country, with the time first as hours have it; a crash anywhere is made good by doing this again.
DROP TABLE IF EXISTS day_services{local}{on_cluster} SYNC SETTINGS max_table_size_to_drop = 0;

CREATE TABLE day_services{local}{on_cluster} AS hour_services{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYear(start)
ORDER BY (start, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 256;

INSERT INTO day_services (start, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM day_place_services AS kept FINAL
GROUP BY start, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

-- `service_place_sums` for lists of a country's services: the same sums, read by the country.
CREATE OR REPLACE VIEW place_service_sums{on_cluster} AS
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
    transport, service_port, country, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime}
  AND (length <= 10800 OR length <= 172800 AND minute >= made.1)
UNION ALL
SELECT
    transport, service_port, country, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM ten_minute_place_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 10800
  AND (length <= 172800 OR start >= made.2)
UNION ALL
SELECT
    transport, service_port, country, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM hour_place_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND length > 172800
  AND (start < days_from OR start >= days_end)
UNION ALL
SELECT
    transport, service_port, country, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM day_place_services FINAL
WHERE start >= days_from AND start < days_end AND length > 172800;
