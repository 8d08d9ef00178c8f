-- The newest batch taken from an edge in an epoch: what is not newer was taken before.
-- Retention: the newest 64 epochs of an edge.
CREATE TABLE detection_batches (
  edge TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  windows BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (edge, epoch)
);

-- How far detection is with each device. `context` is what the context counts remember.
CREATE TABLE detection_devices (
  device TEXT PRIMARY KEY,
  edge TEXT NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  mac TEXT,
  phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  generation BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  learned BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  place BIGINT NOT NULL,
  model TEXT,
  scored BIGINT NOT NULL,
  alerting BIGINT NOT NULL,
  unscored BIGINT NOT NULL,
  last_score DOUBLE PRECISION,
  context TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Windows that wait: `train` for the fitting, `wait` for the fitting to end. Gone once used.
CREATE TABLE detection_training (
  device TEXT NOT NULL,
  role TEXT NOT NULL,
  place BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (device, role, place)
);

-- Every model ever fitted; the file is a blob. Retention: kept, they are evidence.
CREATE TABLE detection_models (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  blob TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  trained_from BIGINT NOT NULL,
  trained_to BIGINT NOT NULL,
  windows BIGINT NOT NULL,
  alpha DOUBLE PRECISION NOT NULL,
  seed BIGINT NOT NULL,
  judges TEXT NOT NULL,
  measured_false_rate DOUBLE PRECISION NOT NULL,
  active BIGINT NOT NULL
);
CREATE INDEX detection_models_device ON detection_models (device, active);

-- One line per window of a device that learns or is watched; without a score while it learns.
-- Retention: the newest detection.max_scores_per_device of a device.
CREATE TABLE detection_scores (
  device TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  start_us BIGINT NOT NULL,
  end_us BIGINT NOT NULL,
  place BIGINT NOT NULL,
  score DOUBLE PRECISION,
  alert BIGINT NOT NULL,
  packets_out BIGINT NOT NULL,
  packets_in BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL,
  bytes_in BIGINT NOT NULL,
  top_metric TEXT,
  measured DOUBLE PRECISION,
  expected DOUBLE PRECISION,
  PRIMARY KEY (device, epoch, start_us)
);
CREATE INDEX detection_scores_place ON detection_scores (device, place);

-- Findings as they stand; the newest of a device and lane may go on. `tally` is what the detector needs to go on with one.
-- Retention: the newest detection.max_findings_per_device of a device.
CREATE TABLE detection_findings (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  lane TEXT NOT NULL,
  place BIGINT NOT NULL,
  severity TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  tally TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX detection_findings_device ON detection_findings (device, lane, place);
