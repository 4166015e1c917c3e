-- What people did with these cases, in the order recorded.
SELECT toString(id) AS case, toString(step) AS drawn, toUnixTimestamp64Milli(at) AS at_ms, by, event, note, probability, partner
FROM case_steps FINAL
WHERE id IN {ids:Array(UUID)}
ORDER BY id, recorded_at, step
