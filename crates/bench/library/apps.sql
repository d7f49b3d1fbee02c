-- apps-in-maintenance
SELECT a.name, o.name, a.released_at / 1000 FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.maintenance = 1 AND a.gone IS NULL ORDER BY a.name

-- locked-apps
SELECT a.name, o.name FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.locked = 1 AND a.gone IS NULL ORDER BY o.name NULLS LAST, a.name

-- archived-apps
SELECT a.name, o.name, a.archived_at / 1000 FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.archived_at IS NOT NULL AND a.gone IS NULL ORDER BY a.archived_at

-- old-stacks
SELECT a.name, o.name, d.document ->> 'stack' AS stack, a.released_at / 1000
  FROM app a JOIN properties d ON d.id = a.properties LEFT JOIN team o ON o.id = a.team
 WHERE a.properties IN (SELECT id FROM properties
                         WHERE document ->> 'stack' IN ('heroku-22', 'heroku-20', 'heroku-18', 'heroku-16', 'cedar-14', 'cedar'))
   AND a.gone IS NULL
 ORDER BY stack, a.name

-- apps-by-stack
SELECT d.document ->> 'stack', sum(z.apps) AS apps
  FROM (SELECT properties, count(*) AS apps FROM app WHERE gone IS NULL GROUP BY properties) z
  JOIN properties d ON d.id = z.properties
 GROUP BY 1 ORDER BY apps DESC

-- apps-by-region
SELECT d.document ->> 'region', sum(z.apps) AS apps
  FROM (SELECT properties, count(*) AS apps FROM app WHERE gone IS NULL GROUP BY properties) z
  JOIN properties d ON d.id = z.properties
 GROUP BY 1 ORDER BY apps DESC

-- personal-apps
SELECT u.email, a.name, a.released_at / 1000 FROM app a JOIN person u ON u.id = a.owner
 WHERE a.owner IS NOT NULL AND a.gone IS NULL AND u.gone IS NULL ORDER BY u.email, a.name

-- personal-apps-with-collaborators
SELECT o.email, a.name, count(DISTINCT u.id) AS others
  FROM app a JOIN person o ON o.id = a.owner JOIN access x ON x.resource_id = a.id AND x.principal_id <> a.owner
  JOIN person u ON u.id = x.principal_id
 WHERE a.owner IS NOT NULL AND a.gone IS NULL AND o.gone IS NULL AND u.gone IS NULL
 GROUP BY o.email, a.name ORDER BY others DESC, a.name

-- not-deployed-lately
SELECT a.name, o.name, a.released_at / 1000 FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.released_at / 1000 < :now - :days * 86400000 AND a.gone IS NULL ORDER BY a.released_at

-- apps-without-certificates
SELECT a.name, o.name, a.web_url FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.properties IN (SELECT id FROM properties WHERE document ->> 'acm' = 0) AND a.gone IS NULL
 ORDER BY a.name

-- pipeline-stages
SELECT p.name, c.stage, a.name FROM coupling c JOIN pipeline p ON p.id = c.pipeline JOIN app a ON a.id = c.app
 WHERE c.gone IS NULL AND p.gone IS NULL AND a.gone IS NULL ORDER BY p.name, c.stage, a.name

-- spaces-without-shield
SELECT s.name, o.name, d.document ->> 'region', s.state
  FROM space s JOIN properties d ON d.id = s.properties LEFT JOIN team o ON o.id = s.team
 WHERE d.document ->> 'shield' IS NOT 1 AND s.gone IS NULL ORDER BY s.name
