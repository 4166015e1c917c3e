-- What each sensor counted, bin by bin: a batch's packets in equal parts over the bins that it watched.
SELECT
    name,
    toUInt64(bin - 1) AS place,
    toUInt64(round(sum(part))) AS seen
FROM
(
    SELECT
        toString(sensor) AS name,
        arrayJoin(range(
            intDiv(greatest(toUInt64(toUnixTimestamp(first)), {start:UInt64}) - {start:UInt64}, {step:UInt64}) + 1,
            intDiv(least(toUInt64(toUnixTimestamp(last_end)), {end:UInt64}) - 1 - {start:UInt64}, {step:UInt64}) + 2)) AS bin,
        packets / (intDiv(toUInt64(toUnixTimestamp(last_end)) - 1, {step:UInt64})
            - intDiv(toUInt64(toUnixTimestamp(first)), {step:UInt64}) + 1) AS part
    FROM batch_ledger
    WHERE last_end > toDateTime({start:UInt64}, 'UTC') AND first < toDateTime({end:UInt64}, 'UTC') AND last_end > first
)
GROUP BY name, bin
ORDER BY name, bin
LIMIT 100000
