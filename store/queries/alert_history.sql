-- What the analyzer, or whoever imported it, said of a case; of an import the note is its purpose.
SELECT version, body, at_ms, by, note
FROM
(
    SELECT version, body, toUnixTimestamp64Milli(at) AS at_ms, by, note FROM alert_history FINAL WHERE id = {id:UUID}
    UNION ALL
    SELECT version, body, toUnixTimestamp64Milli(at) AS at_ms, by, purpose AS note FROM notices FINAL WHERE id = {id:UUID}
)
ORDER BY version
