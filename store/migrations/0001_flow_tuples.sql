-- Raw flow tuples: one row per flow of a batch, in the order windows are read.
--
-- `(interval, sensor)` serves windows and the search for a batch that was kept without its ledger
-- row; rows of one batch stay together in the order of the wire (ascending by source), which is what
-- makes `source` compress. What a single source did is asked of `hourly_sources` first, which names
-- the hours to read here.
--
-- Small numbers that are nearly always the same (packets, marks, spread of TTL) cost next to nothing
-- under T64 + ZSTD, so they are plain columns rather than maps.
CREATE TABLE IF NOT EXISTS flow_tuples{local}{on_cluster}
(
    interval            DateTime('UTC') COMMENT 'first second of the interval' CODEC(Delta, ZSTD(1)),
    interval_seconds    UInt8 CODEC(ZSTD(1)),
    sensor              LowCardinality(String),
    epoch               UInt64 CODEC(Delta, ZSTD(1)),
    sequence            UInt64 CODEC(Delta, ZSTD(1)),
    head                UInt8 COMMENT '1 on the first row of each batch' CODEC(ZSTD(1)),
    source              IPv6 CODEC(ZSTD(1)),
    traffic             Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                              'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                              'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                              'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    transport           Enum8('tcp' = 1, 'udp' = 2, 'icmp' = 3, 'icmp6' = 4, 'ip' = 5) CODEC(ZSTD(1)),
    detail              UInt16 COMMENT 'service port; ICMP type << 8 | code; IP protocol' CODEC(ZSTD(1)),
    packets             UInt64 CODEC(T64, ZSTD(1)),
    bytes               UInt64 CODEC(T64, ZSTD(1)),
    first               DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    lasted_ms           UInt64 CODEC(T64, ZSTD(1)),
    targets             UInt32 CODEC(T64, ZSTD(1)),
    sample              Array(UInt32) COMMENT 'smallest masked targets, ascending' CODEC(T64, ZSTD(1)),
    source_port         UInt16 CODEC(ZSTD(1)),
    ttl_min             UInt8 CODEC(ZSTD(1)),
    ttl_spread          UInt8 CODEC(ZSTD(1)),
    window              UInt16 CODEC(ZSTD(1)),
    options             Enum8('unknown' = 0, 'none' = 1, 'mss' = 2, 'linux' = 3, 'windows' = 4, 'bsd' = 5,
                              'other' = 6, 'malformed' = 7) CODEC(ZSTD(1)),
    syns                UInt32 CODEC(T64, ZSTD(1)),
    mirai               UInt32 CODEC(T64, ZSTD(1)),
    zmap                UInt32 CODEC(T64, ZSTD(1)),
    zmap_modern         UInt32 CODEC(T64, ZSTD(1)),
    masscan             UInt32 CODEC(T64, ZSTD(1)),
    nmap                UInt32 CODEC(T64, ZSTD(1)),
    irregular           UInt32 CODEC(T64, ZSTD(1)),
    mismatched          UInt32 CODEC(T64, ZSTD(1)),
    country             LowCardinality(String) COMMENT 'ISO 3166-1, empty where unknown',
    asn                 UInt32 CODEC(ZSTD(1)),
    partner             LowCardinality(String),
    scanner             LowCardinality(String) COMMENT 'organisation of a known scanner, else empty',
    bogon               LowCardinality(String) COMMENT 'why it cannot be a real source, else empty',
    target_bits         UInt8 CODEC(ZSTD(1)),
    telescope_addresses UInt64 CODEC(T64, ZSTD(1)),
    last                DateTime64(3, 'UTC') ALIAS first + toIntervalMillisecond(lasted_ms),
    ttl_max             UInt8 ALIAS ttl_min + ttl_spread,
    service_port        UInt16 ALIAS if(transport IN ('icmp', 'icmp6'), bitShiftRight(detail, 8), detail),
    service             String ALIAS concat(toString(transport), '/', toString(service_port))
)
ENGINE = {replicated}MergeTree
PARTITION BY toYYYYMMDD(interval)
ORDER BY (interval, sensor)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1,
         min_bytes_for_wide_part = 536870912;

{cluster_only} CREATE TABLE IF NOT EXISTS flow_tuples{on_cluster} AS flow_tuples_local
ENGINE = Distributed({cluster}, currentDatabase(), flow_tuples_local, cityHash64(sensor));

-- The one view over raw rows. uniqCombined: exact for a handful, a hash set below some thousands
-- (where surges are decided), 0.3 % of error above, at most 96 KiB a state; uniqExact has no bound
-- (a flood of 70 million forged sources), plain HyperLogLog is too coarse for small sets.
--
-- `batches` holds the batches whose first row fell into the group. The view's part is written after
-- the base table's: whether a crash came between the two is read here, exactly, at any later time.
CREATE TABLE IF NOT EXISTS minute_rollup{local}{on_cluster}
(
    minute        DateTime('UTC') CODEC(Delta, ZSTD(1)),
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
    flows         SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    packets       SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    bytes         SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    networks      AggregateFunction(uniqCombined, IPv6) COMMENT '/24s; of IPv6, /48s' CODEC(ZSTD(1)),
    batches       SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD(1))
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMMDD(minute)
ORDER BY (minute, transport, service_port, traffic, country, partner, known_scanner, bogon_source)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1,
         min_bytes_for_wide_part = 536870912;

{cluster_only} CREATE TABLE IF NOT EXISTS minute_rollup{on_cluster} AS minute_rollup_local
ENGINE = Distributed({cluster}, currentDatabase(), minute_rollup_local, rand());

CREATE MATERIALIZED VIEW IF NOT EXISTS minute_rollup_view{on_cluster} TO minute_rollup{local} AS
SELECT
    toStartOfMinute(interval) AS minute,
    transport,
    if(transport IN ('icmp', 'icmp6'), bitShiftRight(detail, 8), detail) AS service_port,
    traffic,
    country,
    partner,
    scanner != '' AS known_scanner,
    bogon != '' AS bogon_source,
    count() AS flows,
    sum(flow_tuples{local}.packets) AS packets,
    sum(flow_tuples{local}.bytes) AS bytes,
    uniqCombinedState(source) AS sources,
    uniqCombinedState(tupleElement(IPv6CIDRToRange(source,
        if(source BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), 120, 48)), 1)) AS networks,
    groupUniqArrayIf(cityHash64(sensor, epoch, sequence), head = 1) AS batches
FROM flow_tuples{local}
GROUP BY minute, transport, service_port, traffic, country, partner, known_scanner, bogon_source;
