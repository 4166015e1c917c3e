SELECT version, body FROM alerts FINAL WHERE state IN ('new', 'continuing') ORDER BY id
