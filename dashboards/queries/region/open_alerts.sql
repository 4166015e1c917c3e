SELECT count() AS open
FROM alerts FINAL
WHERE state IN ('new', 'continuing')
  AND exercise = 0
  AND $__conditionalAll(country IN (${country:singlequote}), $country)
