-- What was seen of one partner's cases on one day, with each case as it stood when that day ended.
-- Its closing comes later and changes nothing about that day; that it was taken back does. Of a day that is not over
-- nothing is told that still grows.
SELECT toString(seen.id) AS id, toUInt64(toUInt16(seen.day)) AS day, seen.partner AS partner, seen.packets AS packets,
       seen.targets AS targets, toUnixTimestamp64Milli(seen.first) AS first_ms, toUnixTimestamp64Milli(seen.last) AS last_ms,
       CAST(seen.sensors, 'Array(String)') AS sensors, case.body AS body,
       toUInt8(back.recorded != fromUnixTimestamp64Micro(0, 'UTC')) AS withdrawn,
       toUnixTimestamp64Milli(toDateTime64(greatest(case.recorded, back.recorded), 3, 'UTC')) AS changed_ms
FROM
(
    SELECT id, day, partner, if({over:UInt8}, packets, 0) AS packets, if({over:UInt8}, targets, 0) AS targets, first,
           if({over:UInt8}, last, first) AS last, sensors
    FROM observations FINAL
    WHERE partner = {partner:String} AND day = toDate(toUInt16({day:UInt64}))
) AS seen
GLOBAL INNER JOIN
(
    SELECT id, min(recorded_at) AS recorded,
           argMax(alert_history.body, tuple(of_that_day, if(of_that_day, toInt64(version), -toInt64(version)))) AS body
    FROM
    (
        SELECT id, version, recorded_at, alert_history.body AS body,
               state != 'closed' AND JSONExtractString(alert_history.body, 'last_seen') < {end:String} AS of_that_day
        FROM alert_history FINAL
        WHERE partner = {partner:String}
          AND id GLOBAL IN (SELECT id FROM observations WHERE partner = {partner:String} AND day = toDate(toUInt16({day:UInt64})))
    ) AS alert_history
    GROUP BY id
) AS case ON seen.id = case.id
GLOBAL LEFT JOIN
(
    SELECT id, min(recorded_at) AS recorded FROM case_steps WHERE event = 'withdraw' GROUP BY id
) AS back ON seen.id = back.id
ORDER BY seen.first, seen.id
LIMIT {limit:UInt32}
