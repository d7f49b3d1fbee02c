-- What each object has come through. begun: the version whose change made it what it is, 0 where that is since it
-- came; edition: 1, and one more with each change of its properties and each return. Both say what object_change
-- says of the versions after the one that it came with.
ALTER TABLE person ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE person ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE enterprise_account ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enterprise_account ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE team ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE team ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE app ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE space ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE addon ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE addon ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE attachment ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attachment ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE pipeline ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pipeline ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE coupling ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE coupling ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE invitation ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invitation ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE unresolved_member ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE unresolved_member ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;

-- What was stored before this: change 2 is a removal, which changes nothing about what the object is.
UPDATE person SET begun = known.begun, edition = known.edition
  FROM (SELECT person.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN person ON person.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > person.since
         GROUP BY person.id) AS known
 WHERE person.id = known.id;
UPDATE enterprise_account SET begun = known.begun, edition = known.edition
  FROM (SELECT enterprise_account.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN enterprise_account ON enterprise_account.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > enterprise_account.since
         GROUP BY enterprise_account.id) AS known
 WHERE enterprise_account.id = known.id;
UPDATE team SET begun = known.begun, edition = known.edition
  FROM (SELECT team.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN team ON team.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > team.since
         GROUP BY team.id) AS known
 WHERE team.id = known.id;
UPDATE app SET begun = known.begun, edition = known.edition
  FROM (SELECT app.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN app ON app.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > app.since
         GROUP BY app.id) AS known
 WHERE app.id = known.id;
UPDATE space SET begun = known.begun, edition = known.edition
  FROM (SELECT space.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN space ON space.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > space.since
         GROUP BY space.id) AS known
 WHERE space.id = known.id;
UPDATE addon SET begun = known.begun, edition = known.edition
  FROM (SELECT addon.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN addon ON addon.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > addon.since
         GROUP BY addon.id) AS known
 WHERE addon.id = known.id;
UPDATE attachment SET begun = known.begun, edition = known.edition
  FROM (SELECT attachment.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN attachment ON attachment.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > attachment.since
         GROUP BY attachment.id) AS known
 WHERE attachment.id = known.id;
UPDATE pipeline SET begun = known.begun, edition = known.edition
  FROM (SELECT pipeline.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN pipeline ON pipeline.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > pipeline.since
         GROUP BY pipeline.id) AS known
 WHERE pipeline.id = known.id;
UPDATE coupling SET begun = known.begun, edition = known.edition
  FROM (SELECT coupling.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN coupling ON coupling.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > coupling.since
         GROUP BY coupling.id) AS known
 WHERE coupling.id = known.id;
UPDATE invitation SET begun = known.begun, edition = known.edition
  FROM (SELECT invitation.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN invitation ON invitation.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > invitation.since
         GROUP BY invitation.id) AS known
 WHERE invitation.id = known.id;
UPDATE unresolved_member SET begun = known.begun, edition = known.edition
  FROM (SELECT unresolved_member.id AS id, MAX(object_change.version) AS begun, 1 + COUNT(*) AS edition
          FROM object_change
          JOIN unresolved_member ON unresolved_member.id = object_change.object_id
         WHERE object_change.change <> 2 AND object_change.version > unresolved_member.since
         GROUP BY unresolved_member.id) AS known
 WHERE unresolved_member.id = known.id;
