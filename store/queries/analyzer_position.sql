SELECT toUInt64(toUnixTimestamp(position)), toUnixTimestamp64Milli(taken)
FROM analyzer_position FINAL ORDER BY token DESC LIMIT 1
