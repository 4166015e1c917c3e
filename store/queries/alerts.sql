-- Alerts in their last state; an empty filter takes everything.
SELECT version, body FROM alerts FINAL
WHERE ({partner:String} = '' OR partner = {partner:String})
  AND ({kind:String} = '' OR kind = {kind:String})
  AND ({state:String} = '' OR state = {state:String})
  AND toUnixTimestamp64Milli(detected_at) >= {from:Int64}
  AND toUnixTimestamp64Milli(detected_at) < {until:Int64}
ORDER BY detected_at DESC, id
LIMIT {limit:UInt32}
