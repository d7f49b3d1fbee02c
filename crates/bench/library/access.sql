-- app-access
SELECT email, {permissions}, via FROM (
  SELECT u.email, {direct} AS m, 'direct' AS via
    FROM app a JOIN access x ON x.resource_id = a.id JOIN person u ON u.id = x.principal_id
    LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE a.name = :app AND a.gone IS NULL AND u.gone IS NULL
  UNION ALL
  SELECT u.email, CASE w.role WHEN 1 THEN 30 WHEN 2 THEN CASE WHEN {enterprise} THEN 2 ELSE 14 END ELSE 2 END, w.via
    FROM app a JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
    JOIN (SELECT 1 AS role, 'team admin' AS via UNION ALL SELECT 2, 'team member' UNION ALL SELECT 4, 'team viewer') w
      ON x.mask & w.role
   WHERE a.name = :app AND a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL
     AND (w.role = 1 OR COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT u.email, 30, 'owner' FROM app a JOIN person u ON u.id = a.owner
   WHERE a.name = :app AND a.gone IS NULL AND u.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
 ORDER BY email, via

-- person-access
SELECT name, team, {permissions}, via FROM (
  SELECT a.name, o.name AS team, {direct} AS m, 'direct' AS via
    FROM person u JOIN held x ON x.principal_id = u.id JOIN app a ON a.id = x.resource_id
    LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL LEFT JOIN team o ON o.id = a.team
   WHERE lower(u.email) = lower(:email) AND u.email = :email AND a.gone IS NULL AND u.gone IS NULL
  UNION ALL
  SELECT a.name, t.name, CASE w.role WHEN 1 THEN 30 WHEN 2 THEN CASE WHEN {enterprise} THEN 2 ELSE 14 END ELSE 2 END, w.via
    FROM person u JOIN held x ON x.principal_id = u.id JOIN team t ON t.id = x.resource_id JOIN app a ON a.team = t.id
    JOIN (SELECT 1 AS role, 'team admin' AS via UNION ALL SELECT 2, 'team member' UNION ALL SELECT 4, 'team viewer') w
      ON x.mask & w.role
   WHERE lower(u.email) = lower(:email) AND u.email = :email AND a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL
     AND (w.role = 1 OR COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT a.name, NULL, 30, 'owner' FROM person u JOIN app a ON a.owner = u.id
   WHERE lower(u.email) = lower(:email) AND u.email = :email AND a.gone IS NULL AND u.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
 ORDER BY name, via

-- deployers-without-second-factor
SELECT u.email, z.apps
  FROM (SELECT user, count(DISTINCT app) AS apps FROM (
    SELECT x.principal_id AS user, a.id AS app FROM person u CROSS JOIN held x ON x.principal_id = u.id
      CROSS JOIN app a ON a.id = x.resource_id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
     WHERE u.two_factor_authentication = 0 AND u.federated IS NOT 1 AND u.gone IS NULL AND a.gone IS NULL AND {direct} & 28
    UNION ALL
    SELECT x.principal_id, a.id FROM person u CROSS JOIN held x ON x.principal_id = u.id
      CROSS JOIN team t ON t.id = x.resource_id CROSS JOIN app a ON a.team = t.id
     WHERE u.two_factor_authentication = 0 AND u.federated IS NOT 1 AND u.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
       AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
    UNION ALL
    SELECT u.id, a.id FROM person u CROSS JOIN app a ON a.owner = u.id
     WHERE u.two_factor_authentication = 0 AND u.federated IS NOT 1 AND u.gone IS NULL AND a.gone IS NULL
       AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) GROUP BY user) z
  JOIN person u ON u.id = z.user
 ORDER BY z.apps DESC, u.email

-- production-deployers
SELECT DISTINCT p.name, a.name, u.email FROM (
  SELECT c.pipeline, a.id AS app, x.principal_id AS user FROM coupling c JOIN app a ON a.id = c.app
    JOIN access x ON x.resource_id = a.id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL AND {direct} & 4
  UNION ALL
  SELECT c.pipeline, a.id, x.principal_id FROM coupling c JOIN app a ON a.id = c.app JOIN team t ON t.id = a.team
    JOIN access x ON x.resource_id = t.id
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
     AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT c.pipeline, a.id, a.owner FROM coupling c JOIN app a ON a.id = c.app
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN pipeline p ON p.id = z.pipeline JOIN app a ON a.id = z.app JOIN person u ON u.id = z.user
 WHERE p.gone IS NULL AND u.gone IS NULL
 ORDER BY p.name, a.name, u.email

-- production-deployers-without-second-factor
SELECT DISTINCT u.email, a.name FROM (
  SELECT a.id AS app, x.principal_id AS user FROM coupling c JOIN app a ON a.id = c.app JOIN pipeline p ON p.id = c.pipeline
    JOIN access x ON x.resource_id = a.id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL AND p.gone IS NULL AND {direct} & 4
  UNION ALL
  SELECT a.id, x.principal_id FROM coupling c JOIN app a ON a.id = c.app JOIN pipeline p ON p.id = c.pipeline
    JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL AND p.gone IS NULL AND t.gone IS NULL
     AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT a.id, a.owner FROM coupling c JOIN app a ON a.id = c.app JOIN pipeline p ON p.id = c.pipeline
   WHERE c.stage = 'production' AND c.gone IS NULL AND a.gone IS NULL AND p.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN person u ON u.id = z.user JOIN app a ON a.id = z.app
 WHERE u.gone IS NULL AND u.two_factor_authentication = 0 AND u.federated IS NOT 1
 ORDER BY u.email, a.name

-- database-readers
SELECT DISTINCT d.name, a.name, u.email FROM (
  SELECT d.id AS addon, a.id AS app, x.principal_id AS user FROM addon d JOIN attachment c ON c.addon = d.id
    JOIN app a ON a.id = c.app JOIN access x ON x.resource_id = a.id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND {direct} & 28
  UNION ALL
  SELECT d.id, a.id, x.principal_id FROM addon d JOIN attachment c ON c.addon = d.id
    JOIN app a ON a.id = c.app JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
   WHERE d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
     AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT d.id, a.id, a.owner FROM addon d JOIN attachment c ON c.addon = d.id JOIN app a ON a.id = c.app
   WHERE d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN addon d ON d.id = z.addon JOIN app a ON a.id = z.app JOIN person u ON u.id = z.user
 WHERE u.gone IS NULL
 ORDER BY d.name, a.name, u.email

-- production-database-readers
SELECT DISTINCT d.name, a.name, u.email FROM (
  SELECT d.id AS addon, a.id AS app, x.principal_id AS user FROM app a JOIN attachment c ON c.app = a.id
    JOIN addon d ON d.id = c.addon JOIN access x ON x.resource_id = a.id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE a.id IN (SELECT c.app FROM coupling c JOIN pipeline p ON p.id = c.pipeline
                   WHERE c.stage = 'production' AND c.gone IS NULL AND p.gone IS NULL)
     AND d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND {direct} & 28
  UNION ALL
  SELECT d.id, a.id, x.principal_id FROM app a JOIN attachment c ON c.app = a.id
    JOIN addon d ON d.id = c.addon JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
   WHERE a.id IN (SELECT c.app FROM coupling c JOIN pipeline p ON p.id = c.pipeline
                   WHERE c.stage = 'production' AND c.gone IS NULL AND p.gone IS NULL)
     AND d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
     AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT d.id, a.id, a.owner FROM app a JOIN attachment c ON c.app = a.id JOIN addon d ON d.id = c.addon
   WHERE a.id IN (SELECT c.app FROM coupling c JOIN pipeline p ON p.id = c.pipeline
                   WHERE c.stage = 'production' AND c.gone IS NULL AND p.gone IS NULL)
     AND d.addon_service = 'heroku-postgresql' AND d.gone IS NULL AND c.gone IS NULL AND a.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN addon d ON d.id = z.addon JOIN app a ON a.id = z.app JOIN person u ON u.id = z.user
 WHERE u.gone IS NULL
 ORDER BY d.name, a.name, u.email

-- most-privileged-people
SELECT u.email, u.two_factor_authentication, u.federated, z.apps
  FROM (SELECT user, count(DISTINCT app) AS apps FROM (
    SELECT x.principal_id AS user, x.resource_id AS app FROM held x JOIN app a ON a.id = x.resource_id
     WHERE x.mask & 16 AND a.gone IS NULL
    UNION ALL
    SELECT x.principal_id, a.id FROM held x CROSS JOIN team t ON t.id = x.resource_id CROSS JOIN app a ON a.team = t.id
     WHERE x.mask & 1 AND a.gone IS NULL AND t.gone IS NULL
    UNION ALL
    SELECT a.owner, a.id FROM app a
     WHERE a.gone IS NULL AND a.owner IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) GROUP BY user) z
  JOIN person u ON u.id = z.user
 WHERE u.gone IS NULL
 ORDER BY z.apps DESC, u.email LIMIT 50

-- widely-open-apps
SELECT a.name, o.name, z.people
  FROM (SELECT app, count(DISTINCT user) AS people FROM (
    SELECT a.id AS app, u.id AS user FROM app a CROSS JOIN access x ON x.resource_id = a.id CROSS JOIN person u ON u.id = x.principal_id
      LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
     WHERE a.gone IS NULL AND u.gone IS NULL AND {direct} & 28
    UNION ALL
    SELECT a.id, u.id FROM app a CROSS JOIN team t ON t.id = a.team CROSS JOIN access x ON x.resource_id = t.id
      CROSS JOIN person u ON u.id = x.principal_id
     WHERE a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL
       AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
    UNION ALL
    SELECT a.id, u.id FROM app a CROSS JOIN person u ON u.id = a.owner
     WHERE a.gone IS NULL AND u.gone IS NULL
       AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) GROUP BY app) z
  JOIN app a ON a.id = z.app LEFT JOIN team o ON o.id = a.team
 ORDER BY z.people DESC, a.name LIMIT 50

-- apps-nobody-manages
SELECT a.name, o.name FROM app a LEFT JOIN team o ON o.id = a.team
 WHERE a.gone IS NULL
   AND NOT EXISTS (SELECT 1 FROM access x JOIN person u ON u.id = x.principal_id
                    WHERE x.resource_id = a.id AND x.mask & 16 AND u.gone IS NULL)
   AND NOT EXISTS (SELECT 1 FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
                    WHERE t.id = a.team AND t.gone IS NULL AND x.mask & 1 AND u.gone IS NULL)
   AND NOT EXISTS (SELECT 1 FROM person u WHERE u.id = a.owner AND u.gone IS NULL
                      AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
 ORDER BY a.name

-- locked-app-viewers
SELECT name, email, {permissions}, via FROM (
  SELECT a.name, u.email, {direct} AS m, 'direct' AS via
    FROM app a CROSS JOIN access x ON x.resource_id = a.id CROSS JOIN person u ON u.id = x.principal_id
    LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE a.locked = 1 AND a.gone IS NULL AND u.gone IS NULL
  UNION ALL
  SELECT a.name, u.email, 30, 'team admin'
    FROM app a CROSS JOIN team t ON t.id = a.team CROSS JOIN access x ON x.resource_id = t.id
    CROSS JOIN person u ON u.id = x.principal_id
   WHERE a.locked = 1 AND x.mask & 1 AND a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL
  UNION ALL
  SELECT a.name, u.email, 30, 'owner' FROM app a JOIN person u ON u.id = a.owner
   WHERE a.locked = 1 AND a.gone IS NULL AND u.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
 ORDER BY name, email, via

-- needless-direct-access
SELECT u.email, t.name, a.name, {permissions} FROM (
  SELECT h.principal_id AS user, h.resource_id AS team, a.id AS app, x.mask AS m
    FROM access h JOIN team t ON t.id = h.resource_id JOIN app a ON a.team = t.id
    JOIN access x ON x.resource_id = a.id AND x.principal_id = h.principal_id
   WHERE h.mask & 1 AND t.gone IS NULL AND a.gone IS NULL) z
  JOIN person u ON u.id = z.user JOIN team t ON t.id = z.team JOIN app a ON a.id = z.app
 WHERE u.gone IS NULL
 ORDER BY u.email, a.name

-- access-by-several-ways
SELECT u.email, a.name, z.ways FROM (
  SELECT user, app, count(*) AS ways FROM (
    SELECT x.principal_id AS user, a.id AS app FROM access x JOIN app a ON a.id = x.resource_id WHERE a.gone IS NULL
    UNION ALL
    SELECT x.principal_id, a.id FROM app a JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
      JOIN (SELECT 1 AS role UNION ALL SELECT 2 UNION ALL SELECT 4) w ON x.mask & w.role
     WHERE a.gone IS NULL AND t.gone IS NULL AND (w.role = 1 OR COALESCE(a.locked, 0) = 0)
    UNION ALL
    SELECT a.owner, a.id FROM app a
     WHERE a.gone IS NULL AND a.owner IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
   GROUP BY user, app HAVING ways > 1) z
  JOIN person u ON u.id = z.user JOIN app a ON a.id = z.app
 WHERE u.gone IS NULL
 ORDER BY z.ways DESC, u.email, a.name

-- direct-access-without-team
SELECT u.email, a.name, o.name, {permissions} FROM (
  SELECT a.id AS app, x.principal_id AS user, x.mask AS m
    FROM app a JOIN access x ON x.resource_id = a.id
   WHERE a.team IS NOT NULL AND a.gone IS NULL
     AND x.principal_id NOT IN (SELECT h.principal_id FROM team t JOIN access h ON h.resource_id = t.id
                                 WHERE t.gone IS NULL AND h.mask & 15 <> 8)) z
  JOIN person u ON u.id = z.user JOIN app a ON a.id = z.app JOIN team o ON o.id = a.team
 WHERE u.gone IS NULL
 ORDER BY u.email, a.name

-- enterprise-managers
SELECT e.name, u.email, u.two_factor_authentication, u.federated,
       '[' || substr(CASE WHEN x.mask & 1 THEN ',"view"' ELSE '' END || CASE WHEN x.mask & 2 THEN ',"create"' ELSE '' END
              || CASE WHEN x.mask & 4 THEN ',"manage"' ELSE '' END || CASE WHEN x.mask & 8 THEN ',"billing"' ELSE '' END, 2) || ']'
  FROM enterprise_account e JOIN access x ON x.resource_id = e.id JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 14 AND e.gone IS NULL AND u.gone IS NULL
 ORDER BY e.name, u.email

-- space-access
SELECT s.name, u.email, CASE WHEN x.mask & 1 THEN '["create_apps"]' ELSE '[]' END
  FROM space s JOIN access x ON x.resource_id = s.id JOIN person u ON u.id = x.principal_id
 WHERE s.gone IS NULL AND u.gone IS NULL
 ORDER BY s.name, u.email
