-- Of two that were drawn at once the first is meant.
SELECT toString(namespace) FROM case_namespace ORDER BY drawn_at, namespace LIMIT 1
