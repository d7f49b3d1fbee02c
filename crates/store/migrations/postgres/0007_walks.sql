-- What a walk along the graph is looked up by, where the first migration has no index for it.
CREATE INDEX team_enterprise_account ON team (enterprise_account) WHERE enterprise_account IS NOT NULL;
CREATE INDEX app_space ON app (space) WHERE space IS NOT NULL;
CREATE INDEX space_team ON space (team);
CREATE INDEX attachment_addon ON attachment (addon);
CREATE INDEX coupling_pipeline ON coupling (pipeline);
CREATE INDEX coupling_app ON coupling (app);
CREATE INDEX unresolved_member_team ON unresolved_member (team);
