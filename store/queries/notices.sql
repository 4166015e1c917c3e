-- Cases from imported evidence in their last state, and whether the centre took them back.
SELECT max(version) AS last, toUInt8(id GLOBAL IN (SELECT id FROM case_steps WHERE event = 'withdraw')) AS withdrawn, argMax(body, version)
FROM notices
WHERE ({partner:String} = '' OR partner = {partner:String})
GROUP BY id
ORDER BY max(at) DESC, id
LIMIT {limit:UInt32}
