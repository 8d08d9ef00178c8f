-- Learning in operation: versions of models, windows kept to learn from, suppressions, groups.

-- What the guards of learning remember of a device, and the version in use.
ALTER TABLE detection_devices ADD COLUMN memory TEXT NOT NULL DEFAULT '{}';
ALTER TABLE detection_devices ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

-- A model is a numbered version of its device's. `state`: candidate, active, retired or refused.
-- `legacy` marks models from before signatures: they are signed once, at the first start after the upgrade.
ALTER TABLE detection_models ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE detection_models ADD COLUMN state TEXT NOT NULL DEFAULT 'retired';
ALTER TABLE detection_models ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE detection_models ADD COLUMN config TEXT NOT NULL DEFAULT '{}';
ALTER TABLE detection_models ADD COLUMN signature TEXT NOT NULL DEFAULT '';
ALTER TABLE detection_models ADD COLUMN signed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE detection_models ADD COLUMN legacy BIGINT NOT NULL DEFAULT 0;
ALTER TABLE detection_models ADD COLUMN base_scored BIGINT NOT NULL DEFAULT 0;
ALTER TABLE detection_models ADD COLUMN base_alerting BIGINT NOT NULL DEFAULT 0;
ALTER TABLE detection_models ADD COLUMN scored BIGINT NOT NULL DEFAULT 0;
ALTER TABLE detection_models ADD COLUMN alerting BIGINT NOT NULL DEFAULT 0;
UPDATE detection_models SET legacy = 1,
  state = CASE WHEN active = 1 THEN 'active' ELSE 'retired' END,
  number = (SELECT COUNT(*) FROM detection_models older WHERE older.device = detection_models.device
    AND (older.created_at < detection_models.created_at
      OR (older.created_at = detection_models.created_at AND older.id <= detection_models.id)));
UPDATE detection_devices SET version = COALESCE((SELECT MAX(number) FROM detection_models
  WHERE detection_models.device = detection_devices.device AND active = 1), 0);
CREATE UNIQUE INDEX detection_models_number ON detection_models (device, number);

-- Windows kept to learn from and to compare models on. `role`: anchor (of the first training),
-- lesson (trusted), alert, doubt (neither). Retention: the newest detection.max_kept_windows of a
-- device for lesson and doubt together, as many anchors, a tenth of it for alerts.
CREATE TABLE detection_kept (
  device TEXT NOT NULL,
  place BIGINT NOT NULL,
  role TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  score DOUBLE PRECISION,
  finding TEXT,
  record TEXT NOT NULL,
  PRIMARY KEY (device, place)
);
CREATE INDEX detection_kept_role ON detection_kept (device, role, place);

-- Peers and services that became known after the training. Retention: gone when the device learns again.
CREATE TABLE detection_keys (
  device TEXT NOT NULL,
  peer TEXT NOT NULL,
  protocol BIGINT NOT NULL,
  port BIGINT NOT NULL,
  learned_at BIGINT NOT NULL,
  PRIMARY KEY (device, peer, protocol, port)
);

-- "This is normal for this device". Retention: kept, they are decisions; expired ones do nothing.
CREATE TABLE detection_suppressions (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  finding TEXT,
  metric TEXT,
  peer TEXT,
  protocol TEXT,
  port BIGINT,
  technique TEXT,
  ceiling DOUBLE PRECISION NOT NULL,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  until_at BIGINT,
  revoked_at BIGINT,
  revoked_by TEXT,
  hits BIGINT NOT NULL DEFAULT 0,
  last_hit_at BIGINT
);
CREATE INDEX detection_suppressions_device ON detection_suppressions (device);

-- What people said of findings; the newest word counts. Retention: kept.
CREATE TABLE detection_feedback (
  id TEXT PRIMARY KEY,
  finding TEXT NOT NULL,
  device TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  suppression TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX detection_feedback_finding ON detection_feedback (finding, created_at);

-- Findings of one device, peer and technique near in time. Retention: the newest 1,000 of a device.
CREATE TABLE detection_groups (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  last_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX detection_groups_device ON detection_groups (device, last_at);
CREATE TABLE detection_group_findings (
  finding TEXT PRIMARY KEY,
  group_id TEXT NOT NULL
);
CREATE INDEX detection_group_findings_group ON detection_group_findings (group_id);

-- Open incidents of devices, as the incidents room tells: nothing is learned meanwhile.
CREATE TABLE detection_incidents (
  incident TEXT NOT NULL,
  device TEXT NOT NULL,
  open BIGINT NOT NULL,
  PRIMARY KEY (incident, device)
);

-- Pooled models for devices that are still learning, one per device type and one for all.
CREATE TABLE detection_priors (
  kind TEXT PRIMARY KEY,
  blob TEXT NOT NULL,
  windows BIGINT NOT NULL,
  devices BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  signature TEXT NOT NULL
);

-- Packets of findings, where they were at hand; the file is a blob. Retention: with the finding.
CREATE TABLE detection_captures (
  finding TEXT PRIMARY KEY,
  blob TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  packets BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  source TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
