-- These cases as they were last told: what was kept between is not among it.
SELECT max(version), argMax(body, version) FROM alert_history WHERE id IN {ids:Array(UUID)} GROUP BY id
UNION ALL
SELECT max(version), argMax(body, version) FROM notices WHERE id IN {ids:Array(UUID)} GROUP BY id
