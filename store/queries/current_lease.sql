-- Of the claims with the greatest token the first by name is the lease.
SELECT token, holder, toUnixTimestamp64Milli(until) AS until_ms
FROM leases FINAL
WHERE role = {role:String}
ORDER BY token DESC, holder
LIMIT 1
