WITH largest AS
(
    SELECT country
    FROM service_place_sums(from = $__fromTime, to = $__toTime)
    WHERE transport = splitByChar('/', ${service:singlequote})[1]
      AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
      AND $__conditionalAll(country IN (${country:singlequote}), $country)
      AND known_scanner <= ${scanners}
      AND is_scan
    GROUP BY country
    ORDER BY uniqCombinedMerge(sources) DESC, country
    LIMIT 8
)
SELECT
    start AS time,
    multiIf(country GLOBAL NOT IN (SELECT country FROM largest), 'others', country = '', 'unknown', country) AS place,
    uniqCombinedMerge(sources) AS seen
FROM ${grain} FINAL
WHERE $__timeFilter(start)
  AND transport = splitByChar('/', ${service:singlequote})[1]
  AND service_port = toUInt16OrZero(splitByChar('/', ${service:singlequote})[2])
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
  AND is_scan
GROUP BY time, place
ORDER BY time, place
SETTINGS optimize_move_to_prewhere_if_final = 1
