-- new-people
SELECT u.email, u.name, s.finished_at / 1000 AS seen FROM person u JOIN sync s ON s.id = u.since
 WHERE s.finished_at / 1000 > :now - :days * 86400000 AND u.gone IS NULL ORDER BY seen DESC, u.email

-- new-direct-access
SELECT u.email, a.name, o.name, {permissions}, z.seen FROM (
  SELECT x.resource_id AS app, x.principal_id AS user, x.mask AS m, s.finished_at / 1000 AS seen
    FROM access x JOIN sync s ON s.id = x.since
   WHERE s.finished_at / 1000 > :now - :days * 86400000 AND x.resource_id & 63 = 4) z
  JOIN app a ON a.id = z.app JOIN person u ON u.id = z.user LEFT JOIN team o ON o.id = a.team
 WHERE a.gone IS NULL AND u.gone IS NULL
 ORDER BY z.seen DESC, u.email, a.name

-- new-admins
SELECT t.name, u.email, s.finished_at / 1000 AS seen
  FROM team t JOIN access x ON x.resource_id = t.id JOIN sync s ON s.id = x.since JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 1 AND s.finished_at / 1000 > :now - :days * 86400000 AND t.gone IS NULL AND u.gone IS NULL
 ORDER BY seen DESC, t.name

-- changed-apps
SELECT a.name, o.name, s.finished_at / 1000 AS seen, a.edition
  FROM app a JOIN sync s ON s.id = CASE a.begun WHEN 0 THEN a.since ELSE a.begun END LEFT JOIN team o ON o.id = a.team
 WHERE a.edition > 1 AND s.finished_at / 1000 > :now - :days * 86400000 AND a.gone IS NULL
 ORDER BY seen DESC, a.name

-- gone-lately
SELECT '["' || type || '"]', z.name, s.finished_at / 1000 AS ended FROM (
  SELECT 'heroku_account' AS type, name, gone FROM enterprise_account WHERE gone > 0
  UNION ALL SELECT 'heroku_account_member', email, gone FROM person WHERE gone > 0
  UNION ALL SELECT 'heroku_team', name, gone FROM team WHERE gone > 0
  UNION ALL SELECT 'heroku_application', name, gone FROM app WHERE gone > 0
  UNION ALL SELECT 'heroku_addon', name, gone FROM addon WHERE gone > 0
  UNION ALL SELECT 'heroku_space', name, gone FROM space WHERE gone > 0
  UNION ALL SELECT 'heroku_pipeline', name, gone FROM pipeline WHERE gone > 0
  UNION ALL SELECT 'heroku_team_invitation', email, gone FROM invitation WHERE gone > 0
  UNION ALL SELECT 'heroku_authorization', name, gone FROM account_authorization WHERE gone > 0
  UNION ALL SELECT 'heroku_key', name, gone FROM account_key WHERE gone > 0
  UNION ALL SELECT 'heroku_unresolved_member', email, gone FROM unresolved_member WHERE gone > 0) z
  JOIN sync s ON s.id = z.gone
 WHERE s.finished_at / 1000 > :now - :days * 86400000
 ORDER BY ended DESC, z.name

-- estate-counts
SELECT '["heroku_account"]' AS type, count(*) AS number FROM enterprise_account WHERE gone IS NULL HAVING number > 0
UNION ALL SELECT '["heroku_account_member"]', count(*) FROM person WHERE gone IS NULL
UNION ALL SELECT '["heroku_team"]', count(*) FROM team WHERE gone IS NULL
UNION ALL SELECT '["heroku_application"]', count(*) FROM app WHERE gone IS NULL
UNION ALL SELECT '["heroku_addon"]', count(*) FROM addon WHERE gone IS NULL
UNION ALL SELECT '["heroku_space"]', count(*) FROM space WHERE gone IS NULL
UNION ALL SELECT '["heroku_pipeline"]', count(*) FROM pipeline WHERE gone IS NULL
UNION ALL SELECT '["heroku_team_invitation"]', count(*) FROM invitation WHERE gone IS NULL
UNION ALL SELECT '["heroku_unresolved_member"]', count(*) FROM unresolved_member WHERE gone IS NULL
UNION ALL SELECT '["heroku_authorization"]', count(*) FROM account_authorization WHERE gone IS NULL HAVING count(*) > 0
UNION ALL SELECT '["heroku_key"]', count(*) FROM account_key WHERE gone IS NULL HAVING count(*) > 0
UNION ALL SELECT '["employee"]', count(*) FROM employee WHERE gone IS NULL
 ORDER BY number DESC, type
