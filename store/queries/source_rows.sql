-- The rows beneath what one address did, the newest first: without targets.
SELECT
    toUInt64(toUnixTimestamp(flow.interval)) AS interval,
    toString(flow.sensor) AS sensor,
    toString(flow.traffic) AS class,
    flow.service AS service,
    flow.packets AS packets,
    flow.bytes AS bytes,
    toInt64(toUnixTimestamp64Milli(flow.first)) AS first,
    flow.lasted_ms AS lasted,
    flow.targets AS targets,
    flow.source_port AS source_port,
    flow.ttl_min AS ttl_min,
    flow.ttl_min + flow.ttl_spread AS ttl_max,
    flow.window AS window,
    toString(flow.options) AS options,
    arrayStringConcat(arrayFilter(mark -> mark != '', [
        if(flow.mirai > 0, 'mirai', ''), if(flow.zmap + flow.zmap_modern > 0, 'zmap', ''),
        if(flow.masscan > 0, 'masscan', ''), if(flow.nmap > 0, 'nmap', ''),
        if(flow.irregular > 0, 'irregular', '')]), ' ') AS marks
FROM flow_tuples AS flow
WHERE flow.interval >= toDateTime({start:UInt64}, 'UTC') AND flow.interval < toDateTime({end:UInt64}, 'UTC')
  AND flow.source = toIPv6({source:String})
  AND ({transport:UInt8} = 0 OR toUInt8(flow.transport) = {transport:UInt8} AND flow.service_port = {port:UInt16})
  AND ({sensor:String} = '' OR flow.sensor = {sensor:String})
ORDER BY flow.interval DESC, flow.sensor, flow.detail, flow.traffic, flow.first
LIMIT {limit:UInt32} OFFSET {offset:UInt64}
