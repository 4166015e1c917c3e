-- What each source did in an hour, by class, from raw rows. Where its origin changed within the
-- hour the last one counts, of several in one interval always the same. Numbers are compared in place
-- of words and tuples: it is the most that is ever rolled up at once.
INSERT INTO {target:Identifier}
    (source, hour, traffic, flows, packets, bytes, first, last, targets, services, sensors, ttl_min, ttl_max,
     syns, mirai, zmap, zmap_modern, masscan, nmap, irregular, country, asn, partner, scanner, bogon)
WITH
    toUInt64(toUnixTimestamp(raw.interval)) * 4294967296
        + cityHash64(raw.country, raw.asn, raw.partner, raw.scanner, raw.bogon) % 4294967296 AS latest
SELECT
    raw.source AS source,
    toStartOfHour(interval) AS hour,
    raw.traffic AS traffic,
    count(),
    sum(raw.packets),
    sum(raw.bytes),
    min(raw.first),
    max(raw.last),
    sum(raw.targets),
    arraySlice(arraySort(arrayMap(
        one -> concat(['tcp', 'udp', 'icmp', 'icmp6', 'ip'][intDiv(one, 65536)], '/', toString(one % 65536)),
        groupUniqArray(toUInt32(toUInt8(raw.transport)) * 65536 + raw.service_port))), 1, 20),
    arraySlice(arraySort(groupUniqArray(raw.sensor)), 1, 20),
    min(raw.ttl_min),
    max(raw.ttl_max),
    sum(raw.syns),
    sum(raw.mirai),
    sum(raw.zmap),
    sum(raw.zmap_modern),
    sum(raw.masscan),
    sum(raw.nmap),
    sum(raw.irregular),
    argMax(raw.country, latest),
    argMax(raw.asn, latest),
    argMax(raw.partner, latest),
    argMax(raw.scanner, latest),
    argMax(raw.bogon, latest)
FROM flow_tuples AS raw
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
GROUP BY source, hour, traffic
