-- Of the claims with the greatest token the first by name is the lease.
SELECT token, holder, toUnixTimestamp64Milli(until) AS until_ms
FROM analyzer_lease FINAL
ORDER BY token DESC, holder
LIMIT 1
