SELECT
    if(country = '', 'unknown', country) AS place,
    uniqCombinedMergeIf(sources, is_scan) AS "scanning sources",
    uniqCombinedMergeIf(sources, is_backscatter) AS "answering sources",
    sum(packets) AS "packets seen"
FROM places(from = $__fromTime, to = $__toTime)
WHERE $__conditionalAll(country IN (${country:singlequote}), $country)
  AND known_scanner <= ${scanners}
GROUP BY place
ORDER BY "scanning sources" DESC, place
LIMIT 20
