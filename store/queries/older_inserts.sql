-- Inserts that have been under way for longer than this.
SELECT count() FROM system.processes
WHERE query_kind = 'Insert' AND elapsed > {seconds:Float64}
