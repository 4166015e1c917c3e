-- Urgent messages that have waited for their receiver for an hour.
SELECT count() AS waiting
FROM deliveries FINAL
WHERE state IN ('waiting', 'unreached')
  AND severity = 'high'
  AND planned_at < now() - INTERVAL 1 HOUR
  AND planned_at >= now() - INTERVAL 14 DAY
