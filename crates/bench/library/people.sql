-- people-without-second-factor
SELECT email, name, last_login / 1000 FROM person
 WHERE two_factor_authentication = 0 AND federated IS NOT 1 AND gone IS NULL ORDER BY email

-- second-factor-unknown
SELECT email, name FROM person
 WHERE two_factor_authentication IS NULL AND federated IS NOT 1 AND gone IS NULL ORDER BY email

-- sign-in-counts
SELECT two_factor_authentication, federated, count(*) AS people FROM person WHERE gone IS NULL
 GROUP BY 1, 2 ORDER BY people DESC

-- admins-without-second-factor
SELECT t.name, u.email FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 1 AND u.two_factor_authentication = 0 AND u.federated IS NOT 1 AND t.gone IS NULL AND u.gone IS NULL
 ORDER BY t.name, u.email

-- not-federated
SELECT e.name, u.email, u.two_factor_authentication
  FROM enterprise_account e JOIN access x ON x.resource_id = e.id JOIN person u ON u.id = x.principal_id
 WHERE u.federated IS NOT 1 AND e.gone IS NULL AND u.gone IS NULL
 ORDER BY e.name, u.email

-- never-signed-in
SELECT email, name FROM person
 WHERE last_login IS NULL AND gone IS NULL
   AND id IN (SELECT x.principal_id FROM enterprise_account e JOIN access x ON x.resource_id = e.id WHERE e.gone IS NULL)
 ORDER BY email

-- not-signed-in-lately
SELECT email, name, last_login / 1000 FROM person
 WHERE last_login / 1000 < :now - :days * 86400000 AND gone IS NULL ORDER BY last_login

-- dormant-deployers
SELECT u.email, u.last_login / 1000, z.apps
  FROM (SELECT user, count(DISTINCT app) AS apps FROM (
    SELECT x.principal_id AS user, a.id AS app FROM person u CROSS JOIN held x ON x.principal_id = u.id
      CROSS JOIN app a ON a.id = x.resource_id LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
     WHERE u.last_login / 1000 < :now - :days * 86400000 AND u.gone IS NULL AND a.gone IS NULL AND {direct} & 28
    UNION ALL
    SELECT x.principal_id, a.id FROM person u CROSS JOIN held x ON x.principal_id = u.id
      CROSS JOIN team t ON t.id = x.resource_id CROSS JOIN app a ON a.team = t.id
     WHERE u.last_login / 1000 < :now - :days * 86400000 AND u.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL
       AND (x.mask & 1 OR x.mask & 2 AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0)
    UNION ALL
    SELECT u.id, a.id FROM person u CROSS JOIN app a ON a.owner = u.id
     WHERE u.last_login / 1000 < :now - :days * 86400000 AND u.gone IS NULL AND a.gone IS NULL
       AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) GROUP BY user) z
  JOIN person u ON u.id = z.user
 ORDER BY z.apps DESC, u.email

-- outside-addresses
SELECT email, name, two_factor_authentication FROM person
 WHERE substr(email, -length(:domain)) <> :domain AND gone IS NULL ORDER BY email

-- outside-deployers
SELECT u.email, a.name, o.name, {permissions}, z.via FROM (
  SELECT x.principal_id AS user, a.id AS app, {direct} AS m, 'direct' AS via
    FROM person u JOIN held x ON x.principal_id = u.id JOIN app a ON a.id = x.resource_id
    LEFT JOIN team t ON t.id = a.team AND t.gone IS NULL
   WHERE substr(u.email, -length(:domain)) <> :domain AND u.gone IS NULL AND a.gone IS NULL AND {direct} & 28
  UNION ALL
  SELECT x.principal_id, a.id, 30, 'team admin'
    FROM person u JOIN held x ON x.principal_id = u.id JOIN team t ON t.id = x.resource_id JOIN app a ON a.team = t.id
   WHERE substr(u.email, -length(:domain)) <> :domain AND u.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL AND x.mask & 1
  UNION ALL
  SELECT x.principal_id, a.id, 14, 'team member'
    FROM person u JOIN held x ON x.principal_id = u.id JOIN team t ON t.id = x.resource_id JOIN app a ON a.team = t.id
   WHERE substr(u.email, -length(:domain)) <> :domain AND u.gone IS NULL AND a.gone IS NULL AND t.gone IS NULL AND x.mask & 2
     AND NOT {enterprise} AND COALESCE(a.locked, 0) = 0
  UNION ALL
  SELECT u.id, a.id, 30, 'owner' FROM person u JOIN app a ON a.owner = u.id
   WHERE substr(u.email, -length(:domain)) <> :domain AND u.gone IS NULL AND a.gone IS NULL
     AND NOT EXISTS (SELECT 1 FROM team t WHERE t.id = a.team AND t.gone IS NULL)) z
  JOIN person u ON u.id = z.user JOIN app a ON a.id = z.app LEFT JOIN team o ON o.id = a.team
 ORDER BY u.email, a.name

-- service-accounts
SELECT email, two_factor_authentication, last_login / 1000 FROM person
 WHERE gone IS NULL AND (instr(email, 'bot') OR instr(email, 'deploy') OR instr(email, 'service') OR instr(email, 'jenkins')
       OR instr(email, 'github') OR instr(email, 'ci@') OR instr(email, 'automation'))
 ORDER BY email
