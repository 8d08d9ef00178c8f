-- Devices as people know them. Kept until a person removes them.
CREATE TABLE assets_devices (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  named_by TEXT,
  place TEXT,
  role TEXT NOT NULL,
  criticality TEXT NOT NULL,
  mac TEXT,
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- What a device was seen under, and when (packet time). `valid_to` is empty while it holds.
-- Retention: the newest 256 rows of a device.
CREATE TABLE assets_evidence (
  device TEXT NOT NULL,
  sensor TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT,
  last_seen BIGINT NOT NULL,
  PRIMARY KEY (device, sensor, kind, value, valid_from)
);
CREATE INDEX assets_evidence_value ON assets_evidence (sensor, kind, value);
