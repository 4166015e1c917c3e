-- On which days packets that bear one address were seen: from the sums of hours, which trail by an hour or two.
SELECT
    toUInt64(toUInt16(toDate(kept.hour))) AS on_day,
    toUInt64(sum(kept.packets)) AS seen,
    toUInt64(uniqExact(kept.hour)) AS in_hours
FROM hourly_sources AS kept FINAL
WHERE kept.source = toIPv6({source:String})
GROUP BY on_day
ORDER BY on_day DESC
LIMIT {limit:UInt32}
