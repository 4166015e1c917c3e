-- What was seen of each country over all services, in an hour: made from the rollup of hours, for questions about weeks that
-- name no service. They would merge as many sets of sources as there are ports.
CREATE TABLE IF NOT EXISTS place_rollup{local}{on_cluster}
(
    start         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    country       LowCardinality(String),
    traffic       Enum8('scan_syn' = 1, 'scan_stealth' = 2, 'scan_echo' = 3, 'scan_icmp' = 4, 'scan_udp' = 5,
                        'scan_amp' = 6, 'tcp_ack' = 7, 'tcp_other' = 8, 'backscatter_tcp' = 9,
                        'backscatter_icmp' = 10, 'backscatter_icmp_error' = 11, 'backscatter_udp' = 12,
                        'fragment' = 13, 'other_protocol' = 14) CODEC(ZSTD(1)),
    partner       LowCardinality(String),
    known_scanner UInt8 CODEC(ZSTD(1)),
    flows         UInt64 CODEC(T64, ZSTD(1)),
    packets       UInt64 CODEC(T64, ZSTD(1)),
    sources       AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    networks      AggregateFunction(uniqCombined, IPv6) CODEC(ZSTD(1)),
    is_scan        Bool ALIAS traffic BETWEEN 'scan_syn' AND 'scan_amp',
    is_backscatter Bool ALIAS traffic BETWEEN 'backscatter_tcp' AND 'backscatter_udp'
)
ENGINE = {replicated}ReplacingMergeTree(flows)
PARTITION BY toYYYYMM(start)
ORDER BY (start, country, traffic, partner, known_scanner)
SETTINGS ttl_only_drop_parts = 1;

{cluster_only} CREATE TABLE IF NOT EXISTS place_rollup{on_cluster} AS place_rollup_local
ENGINE = Distributed({cluster}, currentDatabase(), place_rollup_local, cityHash64(start));

-- What there is already.
INSERT INTO place_rollup (start, country, traffic, partner, known_scanner, flows, packets, sources, networks)
SELECT start, country, traffic, partner, known_scanner, sum(kept.flows), sum(kept.packets),
       uniqCombinedMergeState(kept.sources), uniqCombinedMergeState(kept.networks)
FROM hour_rollup AS kept FINAL
GROUP BY start, country, traffic, partner, known_scanner
SETTINGS max_partitions_per_insert_block = 0;

-- What was seen of each country from one time to another: by the minute for a day at most, by the closed hour beyond.
CREATE VIEW IF NOT EXISTS places{on_cluster} AS
SELECT minute AS time, toUInt32(60) AS seconds, country, partner, traffic, known_scanner, is_scan, is_backscatter, packets, sources, networks
FROM minute_rollup
WHERE minute >= {from:DateTime} AND minute <= {to:DateTime} AND {to:DateTime} - {from:DateTime} <= 86400
UNION ALL
SELECT start, toUInt32(3600), country, partner, traffic, known_scanner, is_scan, is_backscatter, packets, sources, networks
FROM place_rollup FINAL
WHERE start >= {from:DateTime} AND start <= {to:DateTime} AND {to:DateTime} - {from:DateTime} > 86400;
