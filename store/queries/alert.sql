SELECT version, body FROM alerts FINAL WHERE id = {id:UUID}
