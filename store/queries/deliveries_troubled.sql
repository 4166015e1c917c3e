-- Feeds that do not take what is sent: messages that failed for good since an instant, and those that
-- wait after several attempts.
SELECT CAST(deliveries.partner, 'String') AS partner, CAST(deliveries.feed, 'String') AS feed,
       countIf(state = 'waiting') AS waiting, countIf(state = 'failed') AS failed,
       toUnixTimestamp64Milli(min(planned_at)) AS since_ms, argMax(error, next_at) AS error
FROM deliveries FINAL
WHERE (state = 'waiting' AND attempt >= {attempts:UInt32})
   OR (state = 'failed' AND planned_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
GROUP BY partner, feed
ORDER BY partner, feed
