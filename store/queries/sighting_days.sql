-- Days on which something was seen of one partner's cases, and when each last changed: by a packet, by a case that became
-- known, by one that was taken back. Of a day that is not over only first packets count.
SELECT toUInt64(toUInt16(seen.day)) AS day,
       max(toUnixTimestamp64Milli(toDateTime64(greatest(seen.last, case.recorded, back.recorded), 3, 'UTC'))) AS changed_ms
FROM
(
    SELECT id, day, if(day < toDate(toUInt16({today:UInt64})), last, first) AS last FROM observations FINAL
    WHERE partner = {partner:String} AND day BETWEEN toDate(toUInt16({from:UInt64})) AND toDate(toUInt16({to:UInt64}))
) AS seen
GLOBAL INNER JOIN
(
    SELECT id, min(recorded_at) AS recorded FROM alert_history WHERE partner = {partner:String} GROUP BY id
) AS case ON seen.id = case.id
GLOBAL LEFT JOIN
(
    SELECT id, min(recorded_at) AS recorded FROM case_steps WHERE event = 'withdraw' GROUP BY id
) AS back ON seen.id = back.id
GROUP BY seen.day
ORDER BY seen.day
