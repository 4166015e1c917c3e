SELECT concat(toString(transport), '/', toString(service_port)) AS service
FROM hour_services FINAL
WHERE start > (SELECT max(start) FROM hour_services) - toIntervalDay(7) AND is_scan
GROUP BY transport, service_port
ORDER BY sum(flows) DESC, service
LIMIT 500
