-- Rollups of some days as a telescope of 16,384 addresses might leave them: services by Zipf's law, in
-- several countries each, with a handful to some hundreds of sources per ten minutes.
INSERT INTO ten_minute_rollup
    (start, transport, service_port, traffic, country, partner, known_scanner, bogon_source,
     flows, packets, bytes, sources, networks)
SELECT
    toDateTime({start:UInt64} + bin * 600, 'UTC'),
    'tcp',
    service,
    'scan_syn',
    ['TH', 'ID', 'MY', 'PH', 'SG', 'LA', 'MM', 'JP', 'CN', 'US'][country + 1],
    '',
    0,
    0,
    count(),
    count(),
    count() * 40,
    uniqCombinedState(source),
    uniqCombinedState(toIPv6(concat('::', toString(service % 9000), ':', toString(country), ':', toString(source_number % 200))))
FROM
(
    SELECT
        bin,
        service,
        country,
        arrayJoin(range(toUInt64(1 + greatest(0, 60 / sqrt(service) + (cityHash64(bin, service, country) % 5) - 2)))) AS source_number,
        toIPv6(concat('::', toString(service % 9000), ':', toString(country), ':', toString(source_number))) AS source
    FROM
    (
        SELECT
            intDiv(number, {services:UInt64} * 10) AS bin,
            1 + number % {services:UInt64} AS service,
            intDiv(number, {services:UInt64}) % 10 AS country
        FROM numbers({bins:UInt64} * {services:UInt64} * 10)
    )
)
GROUP BY bin, service, country
