-- What one source did is asked of raw rows: whether it can be in a granule is known before the granule is read. A bloom
-- filter, one byte a row: batches of a small telescope have all sources in each granule from the lowest to the highest.
-- Rows that are there already are read as before, and go with their day.
ALTER TABLE flow_tuples{local}{on_cluster}
    ADD INDEX IF NOT EXISTS by_source source TYPE bloom_filter(0.025) GRANULARITY 1;
