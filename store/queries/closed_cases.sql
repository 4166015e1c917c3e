-- Cases that are over and were still seen at a second or later: what came soon after may be theirs.
SELECT version, body FROM alerts FINAL
WHERE state = 'closed'
  AND detected_at >= toDateTime({since:UInt64}, 'UTC')
  AND kind NOT IN ('ddos_victim', 'reflection_victim')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
ORDER BY id
