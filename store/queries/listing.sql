-- One page of alerts in their last state, with how many there are in all; an empty filter takes everything.
SELECT
    version,
    toUInt8(id GLOBAL IN (SELECT id FROM case_steps WHERE event = 'withdraw')) AS withdrawn,
    body,
    toUInt64(count() OVER ()) AS total
FROM alerts FINAL
WHERE ({partner:String} = '' OR partner = {partner:String})
  AND ({kind:String} = '' OR kind = {kind:String})
  AND ({severity:String} = '' OR severity = {severity:String})
  AND ({country:String} = '' OR country = {country:String})
  AND ({state:String} = '' OR if(withdrawn, 'withdrawn', state) IN splitByChar(',', {state:String}))
  AND toUnixTimestamp64Milli(opened_at) >= {from:Int64}
  AND toUnixTimestamp64Milli(opened_at) < {until:Int64}
ORDER BY
    if({order:String} = 'severity', indexOf(['info', 'low', 'medium', 'high'], severity), 0) DESC,
    if({order:String} = 'seen', last_seen, opened_at) DESC,
    id
LIMIT {limit:UInt32} OFFSET {offset:UInt64}
