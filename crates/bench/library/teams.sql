-- team-admins
SELECT t.name, u.email, u.two_factor_authentication, u.federated
  FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 1 AND t.gone IS NULL AND u.gone IS NULL
 ORDER BY t.name, u.email

-- admins-per-team
SELECT t.name, count(u.id) AS admins
  FROM team t LEFT JOIN access x ON x.resource_id = t.id AND x.mask & 1
  LEFT JOIN person u ON u.id = x.principal_id AND u.gone IS NULL
 WHERE t.listed = 1 AND t.gone IS NULL
 GROUP BY t.name ORDER BY admins, t.name

-- teams-with-one-admin
SELECT t.name, min(u.email)
  FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 1 AND t.gone IS NULL AND u.gone IS NULL
 GROUP BY t.id HAVING count(*) = 1 ORDER BY t.name

-- teams-without-admin
SELECT t.name, t.type, t.listed FROM team t
 WHERE t.gone IS NULL
   AND NOT EXISTS (SELECT 1 FROM access x JOIN person u ON u.id = x.principal_id
                    WHERE x.resource_id = t.id AND x.mask & 1 AND u.gone IS NULL)
 ORDER BY t.name

-- teams-outside-enterprise
SELECT {key t}, '["heroku_team"]', '["Team"]', {metadata t}, {key t}, t.name, t.name, t.created_at / 1000, t.updated_at / 1000,
       t.type, t.listed
  FROM team t WHERE t.enterprise_account IS NULL AND t.listed = 1 AND t.gone IS NULL
 ORDER BY t.name

-- team-apps
SELECT t.name, t.type, count(*) AS apps FROM team t JOIN app a ON a.team = t.id
 WHERE t.gone IS NULL AND a.gone IS NULL
 GROUP BY t.id ORDER BY apps DESC, t.name

-- team-tree
SELECT {key t}, '["heroku_team"]', '["Team"]', {metadata t}, {key t}, t.name, t.name, t.created_at / 1000, t.updated_at / 1000,
       {key e}, t.type, t.listed
  FROM team t LEFT JOIN enterprise_account e ON e.id = t.enterprise_account WHERE t.name = :team AND t.gone IS NULL
;
SELECT {key u}, '["heroku_account_member"]', '["User"]', {metadata u}, {key u}, u.email, u.email, u.email, u.email, u.name,
       (SELECT {key e} FROM held h JOIN enterprise_account e ON e.id = h.resource_id WHERE h.principal_id = u.id AND e.gone IS NULL LIMIT 1),
       u.two_factor_authentication, u.federated, u.last_login / 1000, u.own_account
  FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE t.name = :team AND t.gone IS NULL AND u.gone IS NULL
;
SELECT {key a}, '["heroku_application"]', '["Application"]', {metadata a}, {key a}, a.name, a.name, a.created_at / 1000,
       a.updated_at / 1000, {key t}, COALESCE(o.email, t.name || '@herokumanager.com'), t.name, {key o}, {key s}, s.name,
       a.locked, a.maintenance, a.archived_at / 1000, a.released_at / 1000, a.repo_size, a.slug_size, a.web_url,
       d.document ->> 'region', d.document ->> 'stack', d.document ->> 'build_stack',
       d.document ->> 'buildpack_provided_description', d.document ->> 'acm', d.document ->> '$.generation.name'
  FROM team t JOIN app a ON a.team = t.id JOIN properties d ON d.id = a.properties
  LEFT JOIN person o ON o.id = a.owner LEFT JOIN space s ON s.id = a.space
 WHERE t.name = :team AND t.gone IS NULL AND a.gone IS NULL
;
SELECT {key s}, '["heroku_space"]', '["Cluster"]', {metadata s}, {key s}, s.name, s.name, s.created_at / 1000,
       s.updated_at / 1000, {key t}, t.name, s.state, d.document ->> 'region', d.document ->> 'shield', d.document ->> 'cidr',
       d.document ->> 'data_cidr'
  FROM team t JOIN space s ON s.team = t.id JOIN properties d ON d.id = s.properties
 WHERE t.name = :team AND t.gone IS NULL AND s.gone IS NULL
;
SELECT {key i}, '["heroku_team_invitation"]', '["Record"]', {metadata i}, {key i}, i.email, i.email, i.created_at / 1000,
       i.updated_at / 1000, i.email, i.role, {key t}, t.name, u.email
  FROM team t JOIN invitation i ON i.team = t.id LEFT JOIN person u ON u.id = i.invited_by
 WHERE t.name = :team AND t.gone IS NULL AND i.gone IS NULL
;
SELECT {key i}, '["heroku_unresolved_member"]', '["Record"]', {metadata i}, {key i}, i.email, i.email, i.email, i.role, {key t}, t.name
  FROM team t JOIN unresolved_member i ON i.team = t.id
 WHERE t.name = :team AND t.gone IS NULL AND i.gone IS NULL
;
SELECT {key d}, '["heroku_addon"]', '["Service"]', {metadata d}, {key d}, d.name, d.name, d.created_at / 1000, d.updated_at / 1000,
       {key a}, a.name, d.addon_service, d.provider_id, d.web_url, p.document ->> 'plan', p.document ->> 'state',
       p.document ->> '$.billed_price.cents', p.document ->> '$.billed_price.unit'
  FROM team t JOIN app a ON a.team = t.id JOIN addon d ON d.app = a.id JOIN properties p ON p.id = d.properties
 WHERE t.name = :team AND t.gone IS NULL AND a.gone IS NULL AND d.gone IS NULL
;
SELECT {key t} || '|has|' || {key u}, '["heroku_team_has_account_member"]', '["HAS"]', {metadata x}, {key t}, {key u}, {role}
  FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE t.name = :team AND t.gone IS NULL AND u.gone IS NULL
;
SELECT {key t} || '|owns|' || {key a}, '["heroku_team_owns_application"]', '["OWNS"]', {metadata a}, {key t}, {key a}
  FROM team t JOIN app a ON a.team = t.id WHERE t.name = :team AND t.gone IS NULL AND a.gone IS NULL
;
SELECT {key t} || '|has|' || {key s}, '["heroku_team_has_space"]', '["HAS"]', {metadata s}, {key t}, {key s}
  FROM team t JOIN space s ON s.team = t.id WHERE t.name = :team AND t.gone IS NULL AND s.gone IS NULL
;
SELECT {key t} || '|has|' || {key i}, '["heroku_team_has_invitation"]', '["HAS"]', {metadata i}, {key t}, {key i}
  FROM team t JOIN invitation i ON i.team = t.id WHERE t.name = :team AND t.gone IS NULL AND i.gone IS NULL
;
SELECT {key t} || '|has|' || {key i}, '["heroku_team_has_unresolved_member"]', '["HAS"]', {metadata i}, {key t}, {key i}
  FROM team t JOIN unresolved_member i ON i.team = t.id WHERE t.name = :team AND t.gone IS NULL AND i.gone IS NULL
;
SELECT {key a} || '|has|' || {key d}, '["heroku_application_has_addon"]', '["HAS"]', {metadata d}, {key a}, {key d}
  FROM team t JOIN app a ON a.team = t.id JOIN addon d ON d.app = a.id
 WHERE t.name = :team AND t.gone IS NULL AND a.gone IS NULL AND d.gone IS NULL

-- team-collaborators
SELECT t.name, u.email, u.two_factor_authentication
  FROM team t JOIN access x ON x.resource_id = t.id JOIN person u ON u.id = x.principal_id
 WHERE x.mask & 15 = 8 AND t.gone IS NULL AND u.gone IS NULL
 ORDER BY t.name, u.email

-- unlisted-teams
SELECT t.name, a.name FROM team t JOIN app a ON a.team = t.id
 WHERE t.listed = 0 AND t.gone IS NULL AND a.gone IS NULL
 ORDER BY t.name, a.name

-- old-invitations
SELECT t.name, i.email, i.role, u.email, i.created_at / 1000
  FROM invitation i JOIN team t ON t.id = i.team LEFT JOIN person u ON u.id = i.invited_by
 WHERE i.created_at / 1000 < :now - :days * 86400000 AND i.gone IS NULL AND t.gone IS NULL
 ORDER BY i.created_at

-- unresolved-members
SELECT t.name, m.email, m.role FROM unresolved_member m JOIN team t ON t.id = m.team
 WHERE m.gone IS NULL AND t.gone IS NULL ORDER BY t.name
