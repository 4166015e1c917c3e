-- The same sums from every table.
SELECT place, name, all_flows, all_packets FROM
(
SELECT toUInt8(1) AS place, 'flow_tuples' AS name, count() AS all_flows, sum(packets) AS all_packets FROM flow_tuples
UNION ALL SELECT 2, 'batch_ledger', sum(flows), sum(packets) FROM batch_ledger
UNION ALL SELECT 3, 'minute_rollup', sum(flows), sum(packets) FROM minute_rollup
UNION ALL SELECT 4, 'ten_minute_rollup', sum(flows), sum(packets) FROM ten_minute_rollup FINAL
UNION ALL SELECT 5, 'ten_minute_places', sum(flows), sum(packets) FROM ten_minute_places FINAL
UNION ALL SELECT 6, 'ten_minute_services', sum(flows), sum(packets) FROM ten_minute_services FINAL
UNION ALL SELECT 7, 'hour_rollup', sum(flows), sum(packets) FROM hour_rollup FINAL
UNION ALL SELECT 8, 'day_rollup', sum(flows), sum(packets) FROM day_rollup FINAL
UNION ALL SELECT 9, 'place_rollup', sum(flows), sum(packets) FROM place_rollup FINAL
UNION ALL SELECT 10, 'hour_services', sum(flows), sum(packets) FROM hour_services FINAL
UNION ALL SELECT 11, 'day_services', sum(flows), sum(packets) FROM day_services FINAL
UNION ALL SELECT 12, 'ten_minute_place_services', sum(flows), sum(packets) FROM ten_minute_place_services FINAL
UNION ALL SELECT 13, 'hour_place_services', sum(flows), sum(packets) FROM hour_place_services FINAL
UNION ALL SELECT 14, 'day_place_services', sum(flows), sum(packets) FROM day_place_services FINAL
UNION ALL SELECT 15, 'hourly_sources', sum(flows), sum(packets) FROM hourly_sources FINAL
)
ORDER BY place
