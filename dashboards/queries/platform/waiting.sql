SELECT count() AS waiting
FROM deliveries FINAL
WHERE state IN ('unreached', 'disabled', 'held')
