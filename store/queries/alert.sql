-- One case in its last state, whatever it rests on, and whether the centre took it back.
SELECT version, toUInt8(id GLOBAL IN (SELECT id FROM case_steps WHERE event = 'withdraw' AND id = {id:UUID})) AS withdrawn, body
FROM
(
    SELECT id, version, body FROM alerts FINAL WHERE id = {id:UUID}
    UNION ALL
    SELECT id, version, body FROM notices FINAL WHERE id = {id:UUID}
)
ORDER BY version DESC
LIMIT 1
