-- Messages that were tried in vain or were given up, the last planned first.
SELECT
    partner, channel, toString(id) AS id, revision, form, state, toString(`case`) AS `case`, event, severity, recorded, attempt,
    toUnixTimestamp64Milli(planned_at) AS planned_at, toUnixTimestamp64Milli(released_at) AS released_at,
    toUnixTimestamp64Milli(next_at) AS next_at, toString(within) AS within, error, body
FROM deliveries FINAL
WHERE ({partner:String} = '' OR partner = {partner:String})
  AND (state IN ('unreached', 'held', 'disabled', 'given_up') OR (state = 'waiting' AND attempt > 0))
ORDER BY deliveries.planned_at DESC, deliveries.id
LIMIT {limit:UInt32}
