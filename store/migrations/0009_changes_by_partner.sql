-- Each partner's changes in the order of feeds: by case alone, one page of one partner's is spread
-- over every granule, and all bodies there are were unpacked for it. Kept in step by the engine;
-- merges make it anew, because rows that are doubled or too old go.
ALTER TABLE alert_history{local}{on_cluster} MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE alert_history{local}{on_cluster} ADD PROJECTION IF NOT EXISTS by_partner
(
    SELECT * ORDER BY partner, recorded_at, id, version
);

ALTER TABLE alert_history{local}{on_cluster} MATERIALIZE PROJECTION by_partner;
