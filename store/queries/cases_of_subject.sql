-- Cases about one subject, what opened last first.
SELECT
    version,
    toUInt8(id GLOBAL IN (SELECT id FROM case_steps WHERE event = 'withdraw')) AS withdrawn,
    body
FROM alerts FINAL
WHERE subject = {subject:String}
ORDER BY opened_at DESC, id
LIMIT {limit:UInt32}
