-- One partner's case as it was last told. The partner is part of the question: another's case takes
-- the same way as one that does not exist.
SELECT max(version) AS last, argMax(body, version) FROM alert_history
WHERE id = {id:UUID} AND partner = {partner:String} GROUP BY id
UNION ALL
SELECT max(version) AS last, argMax(body, version) FROM notices
WHERE id = {id:UUID} AND partner = {partner:String} GROUP BY id
