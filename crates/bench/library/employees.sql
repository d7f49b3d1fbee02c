-- leavers-with-access
SELECT person, email, name, {permissions}, via FROM (
  SELECT p.name AS person, u.email, a.name, {direct} AS m, 'direct' AS via
    FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
    CROSS JOIN held x ON x.principal_id = u.id CROSS JOIN app a ON a.id = x.resource_id
    LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE p.active = 0 AND a.gone IS NULL AND u.gone IS NULL
  UNION ALL
  SELECT p.name, u.email, a.name,
         CASE w.role WHEN 1 THEN 30 WHEN 2 THEN CASE WHEN {enterprise} THEN 2 ELSE 14 END ELSE 2 END, w.via
    FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
    CROSS JOIN held x ON x.principal_id = u.id CROSS JOIN team t ON t.id = x.resource_id
    CROSS JOIN (SELECT 1 AS role, 'team admin' AS via UNION ALL SELECT 2, 'team member' UNION ALL SELECT 4, 'team viewer') w
      ON x.mask & w.role CROSS JOIN app a ON a.team = t.id
   WHERE p.active = 0 AND a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL AND (w.role = 1 OR COALESCE(a.locked, 0) = 0)
  UNION ALL
  SELECT p.name, u.email, a.name, 30, 'owner'
    FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
    CROSS JOIN app a ON a.owner = u.id
   WHERE p.active = 0 AND a.gone IS NULL AND u.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL))
 ORDER BY email, name, via

-- leavers-in-teams
SELECT p.name, u.email, t.name, {role}
  FROM employee p JOIN employee_match e ON e.employee_id = p.id JOIN person u ON u.id = e.user_id
  JOIN held x ON x.principal_id = u.id JOIN team t ON t.id = x.resource_id
 WHERE p.active = 0 AND u.gone IS NULL AND t.gone IS NULL
 ORDER BY u.email, t.name

-- leavers-personal-apps
SELECT p.name, u.email, a.name, a.released_at / 1000
  FROM employee p JOIN employee_match e ON e.employee_id = p.id JOIN person u ON u.id = e.user_id JOIN app a ON a.owner = u.id
 WHERE p.active = 0 AND u.gone IS NULL AND a.gone IS NULL
 ORDER BY u.email, a.name

-- accounts-without-employee
SELECT u.email, u.name, u.last_login / 1000 FROM person u
 WHERE u.gone IS NULL AND NOT EXISTS (SELECT 1 FROM employee_match e JOIN employee p ON p.id = e.employee_id WHERE e.user_id = u.id)
 ORDER BY u.email

-- people-with-several-accounts
SELECT p.name, u.email, o.email
  FROM employee_match e JOIN employee_match f ON f.employee_id = e.employee_id AND f.user_id <> e.user_id
  JOIN employee p ON p.id = e.employee_id JOIN person u ON u.id = e.user_id JOIN person o ON o.id = f.user_id
 WHERE u.gone IS NULL AND o.gone IS NULL
 ORDER BY p.name, u.email

-- matches-by-name
SELECT u.email, u.name, p.name, p.email, e.matched_by
  FROM employee_match e JOIN person u ON u.id = e.user_id JOIN employee p ON p.id = e.employee_id
 WHERE e.matched_by IN ('name', 'username') AND u.gone IS NULL
 ORDER BY u.email

-- contractors-who-manage
SELECT p.name, u.email AS email, a.name AS app, 'direct'
  FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
  CROSS JOIN held x ON x.principal_id = u.id CROSS JOIN app a ON a.id = x.resource_id
 WHERE p.employee_type = 'contractor' AND x.mask & 16 AND a.gone IS NULL AND u.gone IS NULL
UNION ALL
SELECT p.name, u.email, a.name, 'team admin'
  FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
  CROSS JOIN held x ON x.principal_id = u.id CROSS JOIN team t ON t.id = x.resource_id CROSS JOIN app a ON a.team = t.id
 WHERE p.employee_type = 'contractor' AND x.mask & 1 AND a.gone IS NULL AND t.gone IS NULL AND u.gone IS NULL
UNION ALL
SELECT p.name, u.email, a.name, 'owner'
  FROM employee p CROSS JOIN employee_match e ON e.employee_id = p.id CROSS JOIN person u ON u.id = e.user_id
  CROSS JOIN app a ON a.owner = u.id
 WHERE p.employee_type = 'contractor' AND a.gone IS NULL AND u.gone IS NULL
   AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)
 ORDER BY email, app
