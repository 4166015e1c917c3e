-- Some periods of what was seen of each country, over all services.
INSERT INTO {target:Identifier}
    (start, country, traffic, partner, known_scanner, flows, packets, sources, networks)
SELECT
    toDateTime(intDiv(toUnixTimestamp({time:Identifier}), {seconds:UInt64}) * {seconds:UInt64}, 'UTC') AS period,
    country,
    traffic,
    partner,
    known_scanner,
    sum(finer.flows),
    sum(finer.packets),
    uniqCombinedMergeState(finer.sources),
    uniqCombinedMergeState(finer.networks)
FROM {source:Identifier} AS finer
WHERE {time:Identifier} >= toDateTime({start:UInt64}, 'UTC') AND {time:Identifier} < toDateTime({end:UInt64}, 'UTC')
  AND has({periods:Array(UInt64)}, toUInt64(toUnixTimestamp(period)))
GROUP BY period, country, traffic, partner, known_scanner
