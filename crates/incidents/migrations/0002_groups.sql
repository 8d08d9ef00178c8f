-- Groups of findings as the detectors make them: a group's findings belong to one incident.
-- Retention: with the finding's incident.
CREATE TABLE incidents_groups (
  finding TEXT PRIMARY KEY,
  group_id TEXT NOT NULL
);
CREATE INDEX incidents_groups_group ON incidents_groups (group_id);

-- What people last said of findings: 1 normal, 0 an attack.
CREATE TABLE incidents_judged (
  finding TEXT PRIMARY KEY,
  normal BIGINT NOT NULL
);
