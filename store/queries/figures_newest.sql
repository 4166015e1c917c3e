-- The last second for which every batch of some sensor has arrived; 0 where there is none.
SELECT toUInt64(toUnixTimestamp(max(complete_through))) FROM batch_ledger
