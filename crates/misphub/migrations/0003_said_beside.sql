-- What stands beside the parts of an event: proposals (shadow attributes) and reports.
-- A proposal for a known attribute has its number in `attribute` and its UUID; 0 proposes a new one. `closed` when it
-- was accepted or discarded. Retention: with their event.
CREATE TABLE misphub_proposals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL,
  event BIGINT NOT NULL,
  attribute BIGINT NOT NULL,
  org BIGINT NOT NULL,
  type TEXT NOT NULL,
  category TEXT NOT NULL,
  value TEXT NOT NULL,
  to_ids BIGINT NOT NULL,
  deletes BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_proposals_event ON misphub_proposals (event);
CREATE INDEX misphub_proposals_uuid ON misphub_proposals (uuid);

CREATE TABLE misphub_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  name TEXT NOT NULL,
  stamp BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_reports_event ON misphub_reports (event);

-- Values that people took out of the correlation between events.
CREATE TABLE misphub_exclusions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  lower TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  comment TEXT NOT NULL
);
