SELECT DISTINCT sensor FROM sensor_health ORDER BY sensor
