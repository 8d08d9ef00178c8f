-- Counts by day, fed by facts; `bound` is the label of others' word, empty for our own.
-- Retention: kept; a few dozen rows a day.
CREATE TABLE situation_daily (
  -- days since 1970-01-01, UTC
  day BIGINT NOT NULL,
  -- `findings.severity`, `incidents.state`, `time.acknowledge` …
  what TEXT NOT NULL,
  item TEXT NOT NULL,
  bound TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (what, day, item, bound)
);

-- Findings as last counted, so that a change moves a count instead of adding one. Retention: kept.
CREATE TABLE situation_findings (
  id TEXT PRIMARY KEY,
  day BIGINT NOT NULL,
  severity TEXT NOT NULL,
  detector TEXT NOT NULL,
  kind TEXT NOT NULL
);

-- Incidents as last told. Retention: kept.
CREATE TABLE situation_incidents (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  -- 0 low to 3 critical, for the order
  weight BIGINT NOT NULL,
  state TEXT NOT NULL,
  open BIGINT NOT NULL,
  received BIGINT NOT NULL,
  -- 1 while it is open and nobody acknowledged it
  waiting BIGINT NOT NULL,
  tlp TEXT NOT NULL,
  bound TEXT NOT NULL,
  origin TEXT NOT NULL,
  origin_name TEXT NOT NULL,
  acknowledged_by TEXT,
  opened_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  contained_at BIGINT,
  recovered_at BIGINT,
  closed_at BIGINT,
  updated_at BIGINT NOT NULL
);
CREATE INDEX situation_incidents_calling ON situation_incidents (open, weight, opened_at);
CREATE INDEX situation_incidents_waiting ON situation_incidents (waiting, received, opened_at);
CREATE INDEX situation_incidents_opened ON situation_incidents (opened_at);
CREATE INDEX situation_incidents_changed ON situation_incidents (updated_at);

-- What received incidents name: remote parties and techniques. Retention: with the incident.
CREATE TABLE situation_marks (
  incident TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  origin TEXT NOT NULL,
  bound TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (incident, kind, value)
);
CREATE INDEX situation_marks_value ON situation_marks (kind, value, origin);
CREATE INDEX situation_marks_recent ON situation_marks (kind, value, at);
-- Marks that several organisations named; found by writing, so that reading looks at few rows.
CREATE TABLE situation_common (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (kind, value)
);
CREATE INDEX situation_common_recent ON situation_common (kind, at);
