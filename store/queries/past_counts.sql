-- Distinct sources and networks by service, bin by bin: of the region, and by country and by
-- partner from two sources on. Each source has one country and one partner, so the parts add up;
-- one that asks by SYN and by stealth segments within ten minutes counts twice.
SELECT
    toUInt32(toUnixTimestamp(start)) AS bin,
    toUInt8(transport) AS protocol,
    port,
    multiIf(grouping(country) = 0, toString(country), '') AS of_country,
    multiIf(grouping(partner) = 0, toString(partner), '') AS of_partner,
    toUInt32(sum(counted)) AS sources,
    toUInt32(sum(spread)) AS networks
FROM
(
    SELECT
        start,
        transport,
        rollup.service_port AS port,
        country,
        partner,
        finalizeAggregation(rollup.sources) AS counted,
        finalizeAggregation(rollup.networks) AS spread
    FROM {table:Identifier} AS rollup FINAL
    WHERE start >= toDateTime({start:UInt64}, 'UTC') AND start < toDateTime({end:UInt64}, 'UTC')
      AND has({classes:Array(UInt8)}, toUInt8(traffic))
      AND known_scanner = 0 AND bogon_source = 0
)
GROUP BY GROUPING SETS ((start, transport, port), (start, transport, port, country), (start, transport, port, partner))
HAVING (grouping(country) = 1 AND grouping(partner) = 1)
    OR (sources >= 2 AND grouping(country) = 0 AND country != '')
    OR (sources >= 2 AND grouping(partner) = 0 AND partner != '')
ORDER BY bin
