-- What a sensor knows of a device, as one document, with the kind guessed from it.
-- Retention: with its device; replaced by what the sensor tells next.
CREATE TABLE assets_facts (
  device TEXT NOT NULL,
  sensor TEXT NOT NULL,
  facts TEXT NOT NULL,
  kind TEXT NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  reasons TEXT NOT NULL,
  maker TEXT,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (device, sensor)
);
CREATE INDEX assets_facts_kind ON assets_facts (kind);
