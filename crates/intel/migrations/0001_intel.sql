-- Who told us. `tlp` is the rank of what this source does not mark itself (0 clear … 4 red).
CREATE TABLE intel_sources (
  source INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  tlp BIGINT NOT NULL,
  licence TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- Every STIX id that is known here or only spoken of, by a short number.
CREATE TABLE intel_nodes (
  node INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
);

-- STIX objects, one row a version. `version` is `modified` (else `created`) in microseconds UTC, 0 for
-- cyber observables, which have one version. `superseded_at` is when a newer version became known:
-- NULL is the newest. A version that a collection got with other content than was known stands here once
-- more, superseded at once, for that collection alone. `tlp` is the rank that holds here. Retention: kept until retracted.
CREATE TABLE intel_objects (
  seq INTEGER PRIMARY KEY,
  node BIGINT NOT NULL,
  version BIGINT NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  created BIGINT,
  modified BIGINT,
  revoked BIGINT NOT NULL,
  spec_version TEXT NOT NULL,
  tlp BIGINT NOT NULL,
  confidence BIGINT,
  source BIGINT NOT NULL,
  body TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  superseded_at BIGINT
);
CREATE INDEX intel_objects_node ON intel_objects (node, version);
CREATE INDEX intel_objects_type ON intel_objects (type, seq);

-- Provenance: who said this version, since when, how lately.
CREATE TABLE intel_said (
  seq BIGINT NOT NULL,
  source BIGINT NOT NULL,
  confidence BIGINT,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (seq, source)
);

-- Relations: `origin` → `target`, said by the object `teller` (a relationship, a sighting, or the object
-- that holds the reference). `ended_at` is when the teller no longer said so.
CREATE TABLE intel_edges (
  edge INTEGER PRIMARY KEY,
  origin BIGINT NOT NULL,
  target BIGINT NOT NULL,
  kind TEXT NOT NULL,
  teller BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX intel_edges_origin ON intel_edges (origin);
CREATE INDEX intel_edges_target ON intel_edges (target);
CREATE INDEX intel_edges_teller ON intel_edges (teller);

-- Values that objects and lists name: the correlation index. `held` counts all who name it, also those
-- beyond the cap, which have no row in intel_marks.
CREATE TABLE intel_terms (
  term INTEGER PRIMARY KEY,
  value TEXT NOT NULL,
  kind TEXT NOT NULL,
  held BIGINT NOT NULL,
  excused TEXT,
  UNIQUE (value, kind)
);
CREATE INDEX intel_terms_held ON intel_terms (held);

-- Who names a value: an object, or (node 0) a list as a whole.
CREATE TABLE intel_marks (
  term BIGINT NOT NULL,
  node BIGINT NOT NULL,
  source BIGINT NOT NULL,
  score DOUBLE PRECISION,
  since BIGINT NOT NULL,
  until BIGINT,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (term, node, source)
);
CREATE INDEX intel_marks_node ON intel_marks (node);

-- Objects whose text, relations and values are still to be taken out (after an upgrade).
CREATE TABLE intel_unindexed (seq INTEGER PRIMARY KEY);

-- Full text of the newest versions; the row is the node.
CREATE VIRTUAL TABLE intel_text USING fts5 (
  name, tags, body, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);

-- Collections. `last_added` rises strictly and never goes back, so no page loses or repeats.
CREATE TABLE intel_collections (
  collection INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  root TEXT NOT NULL,
  alias TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  kind TEXT NOT NULL,
  peer TEXT,
  held BIGINT NOT NULL,
  last_added BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  removed_at BIGINT,
  UNIQUE (root, alias)
);

-- What stands in which collection since when. `is_first` and `is_last` tell the oldest and the newest version
-- of an object in the collection.
CREATE TABLE intel_entries (
  collection BIGINT NOT NULL,
  added BIGINT NOT NULL,
  node BIGINT NOT NULL,
  version BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  type TEXT NOT NULL,
  spec_version TEXT NOT NULL,
  is_first BIGINT NOT NULL,
  is_last BIGINT NOT NULL,
  PRIMARY KEY (collection, added)
);
CREATE UNIQUE INDEX intel_entries_node ON intel_entries (collection, node, version);
CREATE INDEX intel_entries_type ON intel_entries (collection, type, added);
CREATE INDEX intel_entries_seq ON intel_entries (seq);
