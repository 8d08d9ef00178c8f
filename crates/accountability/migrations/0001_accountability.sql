-- One entry per fact, in the order of the facts. Retention: for ever; an erased entry keeps its
-- position, its fact's number and its leaf, and loses everything else.
CREATE TABLE accountability_entries (
  idx BIGINT PRIMARY KEY,
  fact_seq BIGINT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  sentence TEXT NOT NULL,
  body TEXT,
  salt TEXT,
  leaf_hash TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  erased BIGINT NOT NULL
);
CREATE INDEX accountability_entries_subject ON accountability_entries (subject, idx);

-- Roots of complete subtrees of two leaves and more: 2^level leaves that end with `last_leaf`.
CREATE TABLE accountability_nodes (
  last_leaf BIGINT NOT NULL,
  level BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (last_leaf, level)
);

-- Signed tree heads, one per size the tree has had.
CREATE TABLE accountability_heads (
  size BIGINT PRIMARY KEY,
  origin TEXT NOT NULL,
  root TEXT NOT NULL,
  signed_at BIGINT NOT NULL,
  signature TEXT NOT NULL
);
