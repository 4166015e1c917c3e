-- Some periods of what was seen of each service in each country.
INSERT INTO {target:Identifier}
    (start, country, transport, service_port, traffic, known_scanner, flows, packets, sources)
SELECT
    toDateTime(intDiv(toUnixTimestamp({time:Identifier}), {seconds:UInt64}) * {seconds:UInt64}, 'UTC') AS period,
    country,
    transport,
    service_port,
    traffic,
    known_scanner,
    sum(finer.flows),
    sum(finer.packets),
    uniqCombinedMergeState(finer.sources)
FROM {source:Identifier} AS finer
WHERE {time:Identifier} >= toDateTime({start:UInt64}, 'UTC') AND {time:Identifier} < toDateTime({end:UInt64}, 'UTC')
  AND has({periods:Array(UInt64)}, toUInt64(toUnixTimestamp(period)))
GROUP BY period, country, transport, service_port, traffic, known_scanner
