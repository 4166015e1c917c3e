-- What was seen of every service, bin by bin.
SELECT
    toUInt64(toUnixTimestamp(start)) AS bin,
    toUInt8(transport) AS protocol,
    service_port,
    toUInt8(traffic) AS class,
    if({by_country:UInt8} = 1, toString(country), '') AS origin,
    sum(rollup.packets) AS packets,
    sum(rollup.flows) AS flows,
    uniqCombinedMerge(rollup.sources) AS sources,
    uniqCombinedMerge(rollup.networks) AS networks
FROM {table:Identifier} AS rollup FINAL
WHERE start >= toDateTime({start:UInt64}, 'UTC') AND start < toDateTime({end:UInt64}, 'UTC')
  AND known_scanner <= {most_scanner:UInt8}
GROUP BY bin, protocol, service_port, class, origin
ORDER BY bin, protocol, service_port, class, origin
