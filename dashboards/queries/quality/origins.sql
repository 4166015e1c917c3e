SELECT
    if(country = '', 'country unknown', if(partner = '', 'country known, nobody''s', 'a partner''s')) AS "what is known",
    uniqCombinedMerge(sources) AS "sources",
    sum(place_rollup.packets) AS "packets"
FROM place_rollup FINAL
WHERE $__timeFilter(start) AND is_scan
GROUP BY "what is known"
ORDER BY "sources" DESC, "what is known"
