SELECT if(count() = 0, 0, quantileExact(0.5)(dateDiff('second', cases.opened_at, steps.confirmed))) AS took
FROM
(
    SELECT id, opened_at
    FROM alerts FINAL
    WHERE kind = 'infected_host' AND exercise = 0
      AND $__conditionalAll(partner IN (${partner:singlequote}), $partner)
) AS cases
GLOBAL INNER JOIN
(
    SELECT id, min(at) AS confirmed
    FROM case_steps FINAL
    WHERE event = 'confirm' AND $__timeFilter(at)
    GROUP BY id
) AS steps ON cases.id = steps.id
