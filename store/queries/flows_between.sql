-- How many flow tuples there are between two seconds: counted, because a batch may span hours and
-- its ledger row does not say when in them its flows came.
SELECT count() FROM flow_tuples
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
