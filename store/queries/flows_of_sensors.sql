-- Raw rows between two seconds, in the order of the table: no sort, whatever their number.
SELECT ?fields FROM flow_tuples
WHERE interval >= toDateTime({start:UInt64}, 'UTC') AND interval < toDateTime({end:UInt64}, 'UTC')
  AND sensor IN {sensors:Array(String)}
ORDER BY interval
