-- Hosts are not named here: partners read them in their feeds, analysts in the console.
SELECT
    opened_at AS opened,
    severity,
    confidence,
    kind,
    partner,
    country,
    if(kind IN ('scan_surge', 'new_service', 'country_silence', 'sensor_silence'), subject, '') AS about,
    packets,
    last_seen AS "last seen",
    reason_code AS reason
FROM alerts FINAL
WHERE state IN ('new', 'continuing')
  AND id GLOBAL NOT IN (SELECT id FROM case_steps WHERE event = 'withdraw')
  AND exercise = 0
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
ORDER BY indexOf(['high', 'medium', 'low', 'info'], severity), opened_at DESC
LIMIT 200
