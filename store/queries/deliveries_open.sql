-- Messages of one channel that are still to be delivered, in the order they were planned.
SELECT
    partner, channel, toString(id) AS id, revision, form, state, toString(`case`) AS `case`, event, severity, recorded, attempt,
    toUnixTimestamp64Milli(planned_at) AS planned_at, toUnixTimestamp64Milli(released_at) AS released_at,
    toUnixTimestamp64Milli(next_at) AS next_at, toString(within) AS within, error, body
FROM deliveries FINAL
WHERE partner = {partner:String} AND channel = {channel:String}
  AND state IN ('waiting', 'unreached', 'held', 'disabled')
ORDER BY deliveries.planned_at, deliveries.recorded, deliveries.id
LIMIT {limit:UInt32}
