-- The events about one object, one person, or what they gained and lost, newest first, without looking at all the others.
CREATE INDEX change_event_object ON change_event (object_id, version, place);
CREATE INDEX change_event_principal ON change_event (principal_id, version, place);
DROP INDEX change_effect_principal;
DROP INDEX change_effect_resource;
CREATE INDEX change_effect_principal ON change_effect (principal_id, version, place);
CREATE INDEX change_effect_resource ON change_effect (resource_id, version, place);
-- What became of some objects since a version, without reading what became of all the others.
CREATE INDEX object_change_object ON object_change (object_id, version);
