-- What each source did in an hour, by class, from raw rows. Where its origin changed within the
-- hour the last one counts.
INSERT INTO {target:Identifier}
    (source, hour, traffic, flows, packets, bytes, first, last, targets, services, sensors, ttl_min, ttl_max,
     syns, mirai, zmap, zmap_modern, masscan, nmap, irregular, country, asn, partner, scanner, bogon)
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
    arraySlice(arraySort(groupUniqArray(raw.service)), 1, 20),
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
    argMax(raw.country, (interval, raw.country)),
    argMax(raw.asn, (interval, raw.asn)),
    argMax(raw.partner, (interval, raw.partner)),
    argMax(raw.scanner, (interval, raw.scanner)),
    argMax(raw.bogon, (interval, raw.bogon))
FROM flow_tuples AS raw
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
GROUP BY source, hour, traffic
