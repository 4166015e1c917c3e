SELECT
    if(country = '', 'unknown', country) AS place,
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'scan')) AS "scanning sources",
    uniqCombinedMergeIf(sources, startsWith(toString(traffic), 'backscatter')) AS "answering sources",
    sum(packets) AS "packets seen"
FROM minute_rollup
WHERE $__timeFilter(minute)
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY place
ORDER BY "scanning sources" DESC, place
LIMIT 20
