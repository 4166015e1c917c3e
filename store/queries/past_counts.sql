-- Distinct sources and networks of what each country's and each partner's sources asked for, bin
-- by bin, in no order: they are gathered where they are read. The key is service first, so any
-- part of a month is read by walking through all of it. Versions of one key agree in what is
-- filtered by here, so it may come before FINAL.
SELECT
    toUInt32(toUnixTimestamp(start)) AS bin,
    toUInt8(transport) AS protocol,
    rollup.service_port AS port,
    toString(country) AS of_country,
    toString(partner) AS of_partner,
    toUInt32(finalizeAggregation(rollup.sources)) AS counted,
    toUInt32(finalizeAggregation(rollup.networks)) AS spread
FROM {table:Identifier} AS rollup FINAL
PREWHERE start >= toDateTime({start:UInt64}, 'UTC') AND start < toDateTime({end:UInt64}, 'UTC')
  AND has({classes:Array(UInt8)}, toUInt8(traffic))
  AND known_scanner = 0 AND bogon_source = 0
