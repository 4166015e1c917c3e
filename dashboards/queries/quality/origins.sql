SELECT
    if(country = '', 'country unknown', if(partner = '', 'country known, nobody''s', 'a partner''s')) AS "what is known",
    uniqCombinedMerge(sources) AS "sources",
    sum(hour_rollup.packets) AS "packets"
FROM hour_rollup FINAL
WHERE $__timeFilter(start) AND startsWith(toString(traffic), 'scan')
GROUP BY "what is known"
ORDER BY "sources" DESC, "what is known"
