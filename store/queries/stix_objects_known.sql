-- What was published last under these ids, by partner.
SELECT partner, id, toUnixTimestamp64Milli(argMax(version, added)) AS version_ms,
       argMax(content, added) AS last_content, argMax(revoked, added) AS last_revoked
FROM stix_objects
WHERE id IN {ids:Array(String)}
GROUP BY partner, id
