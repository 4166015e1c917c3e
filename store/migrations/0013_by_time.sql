-- What was seen in ten minutes and in an hour, in the order of time: of each country over all services (in an hour:
-- `place_rollup`), and of each service over all countries. The other rollups have the service first; a question about a
-- day that names none would read all of them. Made from minutes, which are in the order of time as well.
CREATE TABLE IF NOT EXISTS ten_minute_places{local}{on_cluster} AS place_rollup{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMMDD(start)
ORDER BY (start, country, traffic, partner, known_scanner)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS ten_minute_places{on_cluster} AS ten_minute_places_local
ENGINE = Distributed({cluster}, currentDatabase(), ten_minute_places_local, cityHash64(start));

-- Small granules: the sets of a few hundred services are read, of 65,000 there may be.
CREATE TABLE IF NOT EXISTS ten_minute_services{local}{on_cluster}
(
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
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
PARTITION BY toYYYYMMDD(start)
ORDER BY (start, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024;

{cluster_only} CREATE TABLE IF NOT EXISTS ten_minute_services{on_cluster} AS ten_minute_services_local
ENGINE = Distributed({cluster}, currentDatabase(), ten_minute_services_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS hour_services{local}{on_cluster} AS ten_minute_services{local}
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (start, transport, service_port, traffic, known_scanner)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024;

{cluster_only} CREATE TABLE IF NOT EXISTS hour_services{on_cluster} AS hour_services_local
ENGINE = Distributed({cluster}, currentDatabase(), hour_services_local, cityHash64(start));

-- How many flow tuples each period had when all tables of its grain were made: what is due, and what is closed, is read
-- here at any age of the store.
CREATE TABLE IF NOT EXISTS rolled_up{local}{on_cluster}
(
    seconds UInt32 COMMENT 'of the period',
    period  DateTime('UTC'),
    flows   UInt64
)
ENGINE = {replicated}ReplacingMergeTree(flows)
ORDER BY (seconds, period);

{cluster_only} CREATE TABLE IF NOT EXISTS rolled_up{on_cluster} AS rolled_up_local
ENGINE = Distributed({cluster}, currentDatabase(), rolled_up_local, 0);

-- What there is already; ten minutes as far back as anybody looks by days.
INSERT INTO ten_minute_places (start, country, traffic, partner, known_scanner, flows, packets, sources, networks)
SELECT start, country, traffic, partner, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources), uniqCombinedMergeState(kept.networks)
FROM ten_minute_rollup AS kept FINAL
WHERE start >= (SELECT max(start) FROM ten_minute_rollup) - toIntervalDay(36)
GROUP BY start, country, traffic, partner, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

INSERT INTO ten_minute_services (start, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM ten_minute_rollup AS kept FINAL
WHERE start >= (SELECT max(start) FROM ten_minute_rollup) - toIntervalDay(36)
GROUP BY start, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

INSERT INTO hour_services (start, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT start, transport, service_port, traffic, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources)
FROM hour_rollup AS kept FINAL
GROUP BY start, transport, service_port, traffic, known_scanner
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

INSERT INTO rolled_up (seconds, period, flows)
SELECT 600, start, sum(flows) FROM ten_minute_places FINAL GROUP BY start
UNION ALL
SELECT 3600, start, sum(flows) FROM hour_services FINAL GROUP BY start
UNION ALL
SELECT 86400, start, sum(flows) FROM day_rollup FINAL GROUP BY start;

-- Three views of what was seen from one time to another, in bins of so many `seconds`, each row at its bin's start: minutes
-- for three hours at most; ten minutes for two days, of which those that are not closed yet are made of their minutes;
-- beyond, hours, of which those that are not closed yet are made of their ten minutes.
-- Of each country over all services:
CREATE OR REPLACE VIEW places{on_cluster} AS
WITH toUInt32(multiIf({to:DateTime} - {from:DateTime} <= 10800, 60, {to:DateTime} - {from:DateTime} <= 172800, 600, 3600)) AS grain
SELECT
    toDateTime(intDiv(toUnixTimestamp(minute), grain) * grain, 'UTC') AS time, grain AS seconds,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime} AND grain < 3600
  AND (grain = 60 OR minute >= (SELECT max(period) + 600 FROM rolled_up WHERE rolled_up.seconds = 600))
UNION ALL
SELECT
    toDateTime(intDiv(toUnixTimestamp(start), grain) * grain, 'UTC'), grain,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM ten_minute_places FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain > 60
  AND (grain = 600 OR start >= (SELECT max(period) + 3600 FROM rolled_up WHERE rolled_up.seconds = 3600))
UNION ALL
SELECT
    start, grain,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM place_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain = 3600;

-- Of each service over all countries:
CREATE OR REPLACE VIEW services{on_cluster} AS
WITH toUInt32(multiIf({to:DateTime} - {from:DateTime} <= 10800, 60, {to:DateTime} - {from:DateTime} <= 172800, 600, 3600)) AS grain
SELECT
    toDateTime(intDiv(toUnixTimestamp(minute), grain) * grain, 'UTC') AS time, grain AS seconds,
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime} AND grain < 3600
  AND (grain = 60 OR minute >= (SELECT max(period) + 600 FROM rolled_up WHERE rolled_up.seconds = 600))
UNION ALL
SELECT
    toDateTime(intDiv(toUnixTimestamp(start), grain) * grain, 'UTC'), grain,
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM ten_minute_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain > 60
  AND (grain = 600 OR start >= (SELECT max(period) + 3600 FROM rolled_up WHERE rolled_up.seconds = 3600))
UNION ALL
SELECT
    start, grain,
    transport, service_port, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources
FROM hour_services FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain = 3600;

-- Of each service in each country; quick for questions that name the service:
CREATE OR REPLACE VIEW service_places{on_cluster} AS
WITH toUInt32(multiIf({to:DateTime} - {from:DateTime} <= 10800, 60, {to:DateTime} - {from:DateTime} <= 172800, 600, 3600)) AS grain
SELECT
    toDateTime(intDiv(toUnixTimestamp(minute), grain) * grain, 'UTC') AS time, grain AS seconds,
    transport, service_port,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime} AND grain < 3600
  AND (grain = 60 OR minute >= (SELECT max(period) + 600 FROM rolled_up WHERE rolled_up.seconds = 600))
UNION ALL
SELECT
    toDateTime(intDiv(toUnixTimestamp(start), grain) * grain, 'UTC'), grain,
    transport, service_port,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM ten_minute_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain > 60
  AND (grain = 600 OR start >= (SELECT max(period) + 3600 FROM rolled_up WHERE rolled_up.seconds = 3600))
UNION ALL
SELECT
    start, grain,
    transport, service_port,
    country, partner, traffic, known_scanner, is_scan, is_backscatter, flows, packets, sources, networks
FROM hour_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND grain = 3600;
