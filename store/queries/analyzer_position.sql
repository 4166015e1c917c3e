SELECT toUInt64(toUnixTimestamp(position)) FROM analyzer_position FINAL ORDER BY token DESC LIMIT 1
