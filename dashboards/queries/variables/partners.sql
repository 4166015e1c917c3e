SELECT DISTINCT partner FROM alerts WHERE partner != '' AND kind = 'infected_host' ORDER BY partner
