-- Of every known country: distinct sources that scan, and distinct victims whose answers reach us.
SELECT
    toString(country) AS code,
    toUInt64(uniqCombinedMergeIf(rollup.sources, is_scan)) AS leaving,
    toUInt64(uniqCombinedMergeIf(rollup.sources, is_backscatter)) AS hit
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND country != '' AND bogon_source = 0
GROUP BY country
ORDER BY code
LIMIT 300
