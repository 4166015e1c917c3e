-- One message.
SELECT
    partner, channel, toString(id) AS id, revision, form, state, toString(`case`) AS `case`, event, severity, recorded, attempt,
    toUnixTimestamp64Milli(planned_at) AS planned_at, toUnixTimestamp64Milli(released_at) AS released_at,
    toUnixTimestamp64Milli(next_at) AS next_at, toString(within) AS within, error, body
FROM deliveries FINAL
WHERE deliveries.id = {id:UUID}
LIMIT 1
