SELECT toUInt64(toUnixTimestamp(min(first))) AS first, toUInt64(toUnixTimestamp(max(last_end))) AS end, count() AS batches
FROM batch_ledger
