-- Alerts in their last state, and whether the centre took them back; an empty filter takes everything.
SELECT version, toUInt8(id GLOBAL IN (SELECT id FROM case_steps WHERE event = 'withdraw')) AS withdrawn, body
FROM alerts FINAL
WHERE ({partner:String} = '' OR partner = {partner:String})
  AND ({kind:String} = '' OR kind = {kind:String})
  AND ({state:String} = '' OR if(withdrawn, 'withdrawn', state) = {state:String})
  AND toUnixTimestamp64Milli(detected_at) >= {from:Int64}
  AND toUnixTimestamp64Milli(detected_at) < {until:Int64}
ORDER BY detected_at DESC, id
LIMIT {limit:UInt32}
