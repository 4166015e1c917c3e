-- These cases in their last state, whatever they rest on.
SELECT version, body FROM alerts FINAL WHERE id IN {ids:Array(UUID)}
UNION ALL
SELECT max(version), argMax(body, version) FROM notices WHERE id IN {ids:Array(UUID)} GROUP BY id
