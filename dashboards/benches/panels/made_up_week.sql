-- Flow tuples of a day, as sensors of a region leave them: a batch of each every ten seconds, sources by Zipf's law,
-- most packets SYNs for a few services, one in ten for any port.
INSERT INTO flow_tuples
    (interval, interval_seconds, sensor, epoch, sequence, head, source, traffic, transport, detail, packets, bytes,
     first, lasted_ms, targets, sample, source_port, ttl_min, ttl_spread, window, options, syns, mirai, zmap,
     zmap_modern, masscan, nmap, irregular, mismatched, country, asn, partner, scanner, bogon, target_bits,
     telescope_addresses)
SELECT
    toDateTime({start:UInt64} + sequence_of_day * 10, 'UTC'),
    10,
    concat('sensor-', toString(intDiv(number % ({sensors:UInt64} * {flows:UInt64}), {flows:UInt64}))),
    1,
    {first_sequence:UInt64} + sequence_of_day,
    number % {flows:UInt64} = 0,
    toIPv6(IPv4NumToString(address)),
    multiIf(class = 0, 'scan_echo', class = 1, 'backscatter_tcp', class < 4, 'scan_udp', 'scan_syn'),
    multiIf(class = 0, 'icmp', class IN (2, 3), 'udp', 'tcp'),
    if(class = 0, 2048, port),
    1 + drawn % 3,
    (1 + drawn % 3) * 60,
    toDateTime64({start:UInt64} + sequence_of_day * 10, 3, 'UTC') + toIntervalMillisecond(drawn % 5000),
    500,
    1,
    [toUInt32(drawn % 65536)],
    32768 + drawn % 28000,
    40 + rank % 80,
    0,
    64240,
    'linux',
    if(class > 3, 1 + drawn % 3, 0),
    if(class > 3 AND rank % 7 = 0, 1 + drawn % 3, 0),
    0, 0, 0, 0, 0, 0,
    place,
    1000 + (bitShiftRight(address, 20) * 37) % 60000,
    if(place IN ('TH', 'MY', 'ID') AND rank % 2 = 0, concat(lower(place), '-cert'), ''),
    if(rank < 400 AND rank % 4 = 0, concat('project ', toString(rank % 5)), ''),
    '',
    16,
    65536
FROM
(
    SELECT
        number,
        intDiv(number, {sensors:UInt64} * {flows:UInt64}) AS sequence_of_day,
        cityHash64(number, {start:UInt64}) AS drawn,
        toUInt32(exp(ln(300000) * ((bitShiftRight(drawn, 11) % 1000000) / 1000000))) AS rank,
        bitXor(toUInt32((rank * 2654435761) % 4294967296), 1540483478) AS address,
        bitShiftRight(drawn, 31) % 20 AS class,
        toUInt16(if(bitShiftRight(drawn, 37) % 10 = 0, bitShiftRight(drawn, 41) % 65536,
            [23, 22, 80, 443, 445, 3389, 8080, 5060, 53, 123, 2323, 5555, 8291]
                [1 + intDiv((bitShiftRight(drawn, 41) % 13) * (bitShiftRight(drawn, 47) % 13), 13)])) AS port,
        ['CN', 'US', 'RU', 'BR', 'IN', 'TH', 'VN', 'ID', 'MY', 'TW', 'KR', 'NL'][1 + bitShiftRight(address, 20) % 12] AS place
    FROM numbers({rows:UInt64})
)
