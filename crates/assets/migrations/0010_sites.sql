-- Where devices stand. Retention: kept until a person removes them.
CREATE TABLE assets_sites (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- the name in small letters: two sites of one name cannot be told apart
  folded TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  place TEXT,
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION,
  -- a plan (assets_layers) and the spot on it, 0 to 1 from its upper left corner
  plan TEXT,
  plan_x DOUBLE PRECISION,
  plan_y DOUBLE PRECISION,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX assets_sites_plan ON assets_sites (plan);

ALTER TABLE assets_devices ADD COLUMN site TEXT;
CREATE INDEX assets_devices_site ON assets_devices (site);

-- Maps and plans of the house; their bytes are blobs. Retention: kept until a person removes them.
CREATE TABLE assets_layers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- `geojson`, `pmtiles` or `plan`
  form TEXT NOT NULL,
  media TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  width BIGINT,
  height BIGINT,
  blob TEXT NOT NULL,
  added_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
