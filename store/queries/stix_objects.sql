-- One partner's objects in the order they were published. Empty lists take everything. Of an
-- object's versions the last is the one published last: nothing newer can stand before `after`.
SELECT toUnixTimestamp64Milli(added) AS added_ms, id, toUnixTimestamp64Milli(version) AS version_ms, body
FROM stix_objects
WHERE partner = {partner:String}
  AND added > fromUnixTimestamp64Milli({after:Int64}, 'UTC')
  AND (empty({ids:Array(String)}) OR id IN {ids:Array(String)})
  AND (empty({types:Array(String)}) OR type IN {types:Array(String)})
  AND ({all:UInt8} = 1
       OR has({versions:Array(Int64)}, toUnixTimestamp64Milli(version))
       OR (id, added) GLOBAL IN (
            SELECT id, max(added) FROM stix_objects
            WHERE {last:UInt8} = 1 AND partner = {partner:String}
              AND added > fromUnixTimestamp64Milli({after:Int64}, 'UTC')
              AND (empty({ids:Array(String)}) OR id IN {ids:Array(String)})
            GROUP BY id)
       OR (id, added) GLOBAL IN (
            SELECT id, min(added) FROM stix_objects
            WHERE {first:UInt8} = 1 AND partner = {partner:String}
              AND (empty({ids:Array(String)}) OR id IN {ids:Array(String)})
            GROUP BY id))
ORDER BY added
LIMIT {limit:UInt32}
