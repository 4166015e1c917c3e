-- The stretches of sequence numbers that the ledger has of one sensor, by epoch.
SELECT epoch, min(sequence) AS first, max(sequence) AS last
FROM
(
    SELECT epoch, sequence, sequence - row_number() OVER (PARTITION BY epoch ORDER BY sequence) AS run
    FROM (SELECT DISTINCT epoch, sequence FROM batch_ledger WHERE sensor = {sensor:String})
)
GROUP BY epoch, run
ORDER BY epoch, first
