-- addons-by-service
SELECT addon_service, count(*) AS addons FROM addon WHERE gone IS NULL GROUP BY 1 ORDER BY addons DESC, 1

-- cost-by-team
SELECT t.name, sum(z.addons) AS addons, sum(z.addons * (d.document ->> '$.billed_price.cents')) / 100.0 AS monthly
  FROM (SELECT a.team, d.properties, count(*) AS addons FROM addon d JOIN app a ON a.id = d.app
         WHERE d.gone IS NULL AND a.gone IS NULL GROUP BY a.team, d.properties) z
  JOIN team t ON t.id = z.team JOIN properties d ON d.id = z.properties
 WHERE t.gone IS NULL AND d.document ->> '$.billed_price.unit' = 'month' AND d.document ->> '$.billed_price.cents' > 0
 GROUP BY t.name ORDER BY monthly DESC, t.name

-- unattached-addons
SELECT d.name, d.addon_service, p.document ->> 'plan', o.name, (p.document ->> '$.billed_price.cents') / 100.0
  FROM addon d JOIN properties p ON p.id = d.properties LEFT JOIN app o ON o.id = d.app
 WHERE d.gone IS NULL
   AND NOT EXISTS (SELECT 1 FROM attachment c JOIN app a ON a.id = c.app WHERE c.addon = d.id AND c.gone IS NULL AND a.gone IS NULL)
 ORDER BY d.name

-- shared-addons
SELECT d.name, d.addon_service, a.name, o.name, c.name
  FROM attachment c JOIN addon d ON d.id = c.addon JOIN app a ON a.id = d.app JOIN app o ON o.id = c.app
 WHERE c.app <> d.app AND c.gone IS NULL AND d.gone IS NULL AND a.gone IS NULL AND o.gone IS NULL
 ORDER BY d.name, o.name

-- addons-across-teams
SELECT d.name, d.addon_service, a.name, t.name, o.name, s.name
  FROM attachment c JOIN addon d ON d.id = c.addon JOIN app a ON a.id = d.app JOIN app o ON o.id = c.app
  LEFT JOIN team t ON t.id = a.team LEFT JOIN team s ON s.id = o.team
 WHERE c.app <> d.app AND (a.team IS NULL OR o.team IS NULL OR a.team <> o.team)
   AND c.gone IS NULL AND d.gone IS NULL AND a.gone IS NULL AND o.gone IS NULL
 ORDER BY d.name, o.name

-- addon-readers
SELECT DISTINCT u.email, a.name FROM (
  SELECT a.id AS app, x.principal_id AS user FROM addon d JOIN attachment c ON c.addon = d.id
    JOIN app a ON a.id = c.app JOIN access x ON x.resource_id = a.id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE d.name = :addon AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND {direct} & 28
  UNION ALL
  SELECT a.id, x.principal_id FROM addon d JOIN attachment c ON c.addon = d.id
    JOIN app a ON a.id = c.app JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
   WHERE d.name = :addon AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
     AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT a.id, a.owner FROM addon d JOIN attachment c ON c.addon = d.id JOIN app a ON a.id = c.app
   WHERE d.name = :addon AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN person u ON u.id = z.user JOIN app a ON a.id = z.app
 WHERE u.gone IS NULL
 ORDER BY u.email, a.name

-- databases
SELECT d.name, d.addon_service, p.document ->> 'plan', o.name, d.created_at / 1000
  FROM addon d JOIN properties p ON p.id = d.properties LEFT JOIN app o ON o.id = d.app
 WHERE d.addon_service IN ('heroku-postgresql', 'heroku-redis', 'heroku-kafka') AND d.gone IS NULL
 ORDER BY d.addon_service, d.name

-- small-production-databases
SELECT a.name, o.name, d.name, p.document ->> 'plan'
  FROM coupling c JOIN pipeline l ON l.id = c.pipeline JOIN app a ON a.id = c.app JOIN attachment x ON x.app = a.id
  JOIN addon d ON d.id = x.addon JOIN properties p ON p.id = d.properties LEFT JOIN team o ON o.id = a.team
 WHERE c.stage = 'production' AND c.gone IS NULL AND l.gone IS NULL AND a.gone IS NULL AND x.gone IS NULL AND d.gone IS NULL
   AND d.addon_service IN ('heroku-postgresql', 'heroku-redis')
   AND d.properties IN (SELECT id FROM properties WHERE instr(document ->> 'plan', 'mini') OR instr(document ->> 'plan', 'essential')
                         OR instr(document ->> 'plan', 'basic') OR instr(document ->> 'plan', 'hobby'))
 ORDER BY a.name, d.name

-- apps-without-logs
SELECT a.name, o.name
  FROM coupling c JOIN pipeline l ON l.id = c.pipeline JOIN app a ON a.id = c.app LEFT JOIN team o ON o.id = a.team
 WHERE c.stage = 'production' AND c.gone IS NULL AND l.gone IS NULL AND a.gone IS NULL
   AND NOT EXISTS (SELECT 1 FROM attachment x JOIN addon d ON d.id = x.addon
                    WHERE x.app = a.id AND x.gone IS NULL AND d.gone IS NULL AND d.addon_service IN
                          ('papertrail', 'logentries', 'coralogix', 'logdna', 'sumologic', 'solarwinds'))
 ORDER BY a.name
