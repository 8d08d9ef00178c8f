-- How much a source's word weighs, percent of what it says.
ALTER TABLE intel_sources ADD COLUMN weight BIGINT NOT NULL DEFAULT 100;

-- What others said of an object: 0 seen, 1 a false positive, 2 ended. `teller` is the sighting, opinion or note
-- that says so. Scores are computed from these when they are read; none is stored.
CREATE TABLE intel_reports (
  target BIGINT NOT NULL,
  teller BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  PRIMARY KEY (target, teller)
);
CREATE INDEX intel_reports_teller ON intel_reports (teller);

-- How fast values of a kind fade, where a person chose; the program's own choice holds for the rest.
CREATE TABLE intel_decay (
  kind TEXT PRIMARY KEY,
  lifetime_days DOUBLE PRECISION NOT NULL,
  decay_speed DOUBLE PRECISION NOT NULL,
  threshold DOUBLE PRECISION NOT NULL,
  default_base DOUBLE PRECISION NOT NULL,
  sighting_gain DOUBLE PRECISION NOT NULL,
  false_positive_cost DOUBLE PRECISION NOT NULL,
  changed_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- Lists of well-known values that people loaded, in MISP's format. `print` is taken of the text: the sum over all
-- lists tells whether a compiled set still is the one that holds.
CREATE TABLE intel_warninglists (
  name TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  version BIGINT NOT NULL,
  matching TEXT NOT NULL,
  entries BIGINT NOT NULL,
  left_out BIGINT NOT NULL,
  print BIGINT NOT NULL,
  body TEXT NOT NULL,
  added_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX intel_warninglists_print ON intel_warninglists (print);

-- A value is held against the lists when it is read: a list that goes leaves nothing behind.
ALTER TABLE intel_terms DROP COLUMN excused;

-- Networks, addresses of the web and reports are taken out of objects in another way than before.
INSERT OR IGNORE INTO intel_unindexed (seq)
SELECT seq FROM intel_objects WHERE superseded_at IS NULL
  AND type IN ('indicator', 'url', 'ipv4-addr', 'ipv6-addr', 'sighting', 'opinion', 'note');
