-- How many apps each team has is counted in this alone, without a look at the apps.
DROP INDEX app_team;
CREATE INDEX app_team ON app (team, gone);
