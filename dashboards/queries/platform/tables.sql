SELECT
    name AS "table",
    total_rows AS "rows",
    total_bytes AS "bytes"
FROM system.tables
WHERE database = currentDatabase() AND total_rows > 0 AND NOT startsWith(name, '.')
ORDER BY "bytes" DESC, "table"
LIMIT 50
