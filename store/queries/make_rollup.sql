-- Some periods of a coarser rollup, from the next finer one.
INSERT INTO {target:Identifier}
    (start, transport, service_port, traffic, country, partner, known_scanner, bogon_source,
     flows, packets, bytes, sources, networks)
SELECT
    toDateTime(intDiv(toUnixTimestamp({time:Identifier}), {seconds:UInt64}) * {seconds:UInt64}, 'UTC') AS period,
    transport,
    service_port,
    traffic,
    country,
    partner,
    known_scanner,
    bogon_source,
    sum(finer.flows),
    sum(finer.packets),
    sum(finer.bytes),
    uniqCombinedMergeState(finer.sources),
    uniqCombinedMergeState(finer.networks)
FROM {source:Identifier} AS finer
WHERE {time:Identifier} >= toDateTime({start:UInt64}, 'UTC') AND {time:Identifier} < toDateTime({end:UInt64}, 'UTC')
  AND has({periods:Array(UInt64)}, toUInt64(toUnixTimestamp(period)))
GROUP BY period, transport, service_port, traffic, country, partner, known_scanner, bogon_source
