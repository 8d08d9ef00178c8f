-- Reports of `sereno detect eval` that people keep. The report itself is a blob.
-- Retention: the newest 100 (detection::store::evaluations::MAX_KEPT).
CREATE TABLE detection_evaluations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  program TEXT NOT NULL,
  author TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  seeds BIGINT NOT NULL,
  alpha DOUBLE PRECISION NOT NULL,
  window_s DOUBLE PRECISION NOT NULL,
  scenarios TEXT NOT NULL,
  detectors BIGINT NOT NULL,
  shortfalls BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  blob TEXT NOT NULL
);
