-- Distinct scanning sources by country, of all services, bin by bin. Filtered before FINAL, as in
-- `past_counts.sql`.
SELECT
    toUInt32(toUnixTimestamp(start)) AS bin,
    toString(country) AS of_country,
    toUInt32(uniqCombinedMerge(rollup.sources)) AS counted
FROM {table:Identifier} AS rollup FINAL
PREWHERE start >= toDateTime({start:UInt64}, 'UTC') AND start < toDateTime({end:UInt64}, 'UTC')
  AND has({classes:Array(UInt8)}, toUInt8(traffic))
  AND known_scanner = 0 AND bogon_source = 0
GROUP BY bin, of_country
ORDER BY bin, of_country
