SELECT if($__conditionalAll(1 = 0, $country), 'service_sums', 'place_service_sums') AS view
