-- Distinct sources that scanned for these services, bin by bin; of one country, or of all.
SELECT
    concat(toString(transport), '/', toString(service_port)) AS service,
    toUInt64(intDiv(toUInt64(toUnixTimestamp(minute)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(uniqCombinedMerge(rollup.sources)) AS distinct_sources
FROM minute_rollup AS rollup
WHERE minute >= toDateTime({start:UInt64}, 'UTC') AND minute < toDateTime({end:UInt64}, 'UTC')
  AND is_scan
  AND ({country:String} = '' OR country = {country:String})
  AND has({ports:Array(UInt16)}, service_port)
  AND service IN {services:Array(String)}
GROUP BY service, bin
ORDER BY service, bin
