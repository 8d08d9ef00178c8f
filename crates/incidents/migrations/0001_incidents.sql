-- Cases. Retention: kept until an administrator removes them; findings and timeline go with them.
CREATE TABLE incidents_incidents (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  severity TEXT NOT NULL,
  tlp TEXT NOT NULL,
  origin TEXT NOT NULL,
  origin_name TEXT NOT NULL,
  received_share TEXT,
  acknowledged_by TEXT,
  -- Of a received incident: its version as the origin dates it; an older one changes nothing.
  origin_updated_at BIGINT,
  -- 1 when a block that contained it has ended: new findings then open a new case.
  released BIGINT NOT NULL DEFAULT 0,
  event_at BIGINT NOT NULL,
  last_event_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX incidents_by_time ON incidents_incidents (recorded_at, id);

-- A finding belongs to one incident; the body is the finding as last heard of.
CREATE TABLE incidents_findings (
  finding TEXT PRIMARY KEY,
  incident TEXT NOT NULL,
  device TEXT NOT NULL,
  device_mac TEXT,
  device_address TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX incidents_findings_incident ON incidents_findings (incident);
CREATE INDEX incidents_findings_device ON incidents_findings (device);

-- Remote parties never seen in training: what two infected devices have in common.
CREATE TABLE incidents_peers (
  incident TEXT NOT NULL,
  peer TEXT NOT NULL,
  PRIMARY KEY (incident, peer)
);
CREATE INDEX incidents_peers_peer ON incidents_peers (peer);

-- History; `source` makes a line unique, so that a fact heard twice is written once.
CREATE TABLE incidents_timeline (
  incident TEXT NOT NULL,
  position BIGINT NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  actor TEXT NOT NULL,
  link TEXT,
  event_at BIGINT,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (incident, position),
  UNIQUE (incident, source)
);
