-- Coarser rollups, made from the next finer one when a period has closed, and made again when late
-- batches reached it. Raw rows only ever grow, so of two rows with one key the one with more flows
-- is the later: ReplacingMergeTree(flows) keeps it, and making a period twice changes nothing.
-- Read with FINAL. Ordered by service first: one service over a long time is what people ask for.
CREATE TABLE IF NOT EXISTS ten_minute_rollup{local}{on_cluster}
(
    transport     Enum8('tcp' = 1, 'udp' = 2, 'icmp' = 3, 'icmp6' = 4, 'ip' = 5) CODEC(ZSTD(1)),
    service_port  UInt16 CODEC(ZSTD(1)),
    traffic       Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                        'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                        'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                        'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    country       LowCardinality(String),
    partner       LowCardinality(String),
    known_scanner UInt8 CODEC(ZSTD(1)),
    bogon_source  UInt8 COMMENT '1 where the source cannot be real' CODEC(ZSTD(1)),
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    flows         UInt64 CODEC(T64, ZSTD(1)),
    packets       UInt64 CODEC(T64, ZSTD(1)),
    bytes         UInt64 CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    networks      AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS ten_minute_rollup{on_cluster} AS ten_minute_rollup_local
ENGINE = Distributed({cluster}, currentDatabase(), ten_minute_rollup_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS hour_rollup{local}{on_cluster}
(
    transport     Enum8('tcp' = 1, 'udp' = 2, 'icmp' = 3, 'icmp6' = 4, 'ip' = 5) CODEC(ZSTD(1)),
    service_port  UInt16 CODEC(ZSTD(1)),
    traffic       Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                        'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                        'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                        'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    country       LowCardinality(String),
    partner       LowCardinality(String),
    known_scanner UInt8 CODEC(ZSTD(1)),
    bogon_source  UInt8 COMMENT '1 where the source cannot be real' CODEC(ZSTD(1)),
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    flows         UInt64 CODEC(T64, ZSTD(1)),
    packets       UInt64 CODEC(T64, ZSTD(1)),
    bytes         UInt64 CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    networks      AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS hour_rollup{on_cluster} AS hour_rollup_local
ENGINE = Distributed({cluster}, currentDatabase(), hour_rollup_local, cityHash64(start));

CREATE TABLE IF NOT EXISTS day_rollup{local}{on_cluster}
(
    transport     Enum8('tcp' = 1, 'udp' = 2, 'icmp' = 3, 'icmp6' = 4, 'ip' = 5) CODEC(ZSTD(1)),
    service_port  UInt16 CODEC(ZSTD(1)),
    traffic       Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                        'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                        'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                        'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    country       LowCardinality(String),
    partner       LowCardinality(String),
    known_scanner UInt8 CODEC(ZSTD(1)),
    bogon_source  UInt8 COMMENT '1 where the source cannot be real' CODEC(ZSTD(1)),
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    flows         UInt64 CODEC(T64, ZSTD(1)),
    packets       UInt64 CODEC(T64, ZSTD(1)),
    bytes         UInt64 CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    networks      AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYear(start)
ORDER BY (transport, service_port, traffic, country, partner, known_scanner, bogon_source, start)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS day_rollup{on_cluster} AS day_rollup_local
ENGINE = Distributed({cluster}, currentDatabase(), day_rollup_local, cityHash64(start));

-- What each source did in each hour, by class: made from raw rows like the rollups. Source first:
-- this is where questions about one source begin.
CREATE TABLE IF NOT EXISTS hourly_sources{local}{on_cluster}
(
    source      IPv6 CODEC(ZSTD(1)),
    hour        DateTime('UTC') CODEC(Delta, ZSTD(1)),
    traffic     Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                      'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                      'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                      'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    flows       UInt64 CODEC(T64, ZSTD(1)),
    packets     UInt64 CODEC(T64, ZSTD(1)),
    bytes       UInt64 CODEC(T64, ZSTD(1)),
    first       DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    last        DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    targets     UInt64 COMMENT 'sum over intervals and sensors: an upper bound' CODEC(T64, ZSTD(1)),
    services    Array(LowCardinality(String)) COMMENT 'the first 20 by name',
    sensors     Array(LowCardinality(String)) COMMENT 'the first 20 by name',
    ttl_min     UInt8 CODEC(ZSTD(1)),
    ttl_max     UInt8 CODEC(ZSTD(1)),
    syns        UInt64 CODEC(T64, ZSTD(1)),
    mirai       UInt64 CODEC(T64, ZSTD(1)),
    zmap        UInt64 CODEC(T64, ZSTD(1)),
    zmap_modern UInt64 CODEC(T64, ZSTD(1)),
    masscan     UInt64 CODEC(T64, ZSTD(1)),
    nmap        UInt64 CODEC(T64, ZSTD(1)),
    irregular   UInt64 CODEC(T64, ZSTD(1)),
    country     LowCardinality(String),
    asn         UInt32 CODEC(ZSTD(1)),
    partner     LowCardinality(String),
    scanner     LowCardinality(String),
    bogon       LowCardinality(String)
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMMDD(hour)
ORDER BY (source, hour, traffic)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS hourly_sources{on_cluster} AS hourly_sources_local
ENGINE = Distributed({cluster}, currentDatabase(), hourly_sources_local, cityHash64(source));
