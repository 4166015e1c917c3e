SELECT checksum FROM batch_ledger
WHERE sensor = {sensor:String} AND epoch = {epoch:UInt64} AND sequence = {sequence:UInt64}
LIMIT 1
