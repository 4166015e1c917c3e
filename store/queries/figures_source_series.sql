-- Packets that bear one address, bin by bin.
SELECT
    toUInt64(intDiv(toUInt64(toUnixTimestamp(interval)) - {start:UInt64}, {step:UInt64})) AS bin,
    toUInt64(sum(packets)) AS seen
FROM flow_tuples
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
  AND source = toIPv6({source:String})
GROUP BY bin
ORDER BY bin
