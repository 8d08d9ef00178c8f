-- STIX objects, one row a version. `version` is `modified` (else `created`) in microseconds UTC, 0 for
-- cyber observables, which have one version. Retention: kept until retracted.
CREATE TABLE cti_objects (
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  type TEXT NOT NULL,
  created BIGINT,
  modified BIGINT,
  revoked BIGINT NOT NULL,
  spec_version TEXT NOT NULL,
  tlp TEXT,
  origin TEXT NOT NULL,
  body TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (id, version)
);
CREATE INDEX cti_objects_type ON cti_objects (type, version);

-- TAXII collections. `peer` names the node whose outbox it is.
CREATE TABLE cti_collections (
  id TEXT PRIMARY KEY,
  alias TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  kind TEXT NOT NULL,
  peer TEXT,
  recorded_at BIGINT NOT NULL
);

-- What stands in which collection; `date_added` rises strictly within a collection.
CREATE TABLE cti_collection_objects (
  collection TEXT NOT NULL,
  object TEXT NOT NULL,
  version BIGINT NOT NULL,
  date_added BIGINT NOT NULL,
  PRIMARY KEY (collection, object, version),
  UNIQUE (collection, date_added)
);

-- TAXII status resources. Retention: the newest 10,000.
CREATE TABLE cti_statuses (
  id TEXT PRIMARY KEY,
  caller TEXT NOT NULL,
  collection TEXT NOT NULL,
  body TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX cti_statuses_recorded_at ON cti_statuses (recorded_at);

-- Values that sources know: the lookup index.
CREATE TABLE cti_values (
  value TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  object TEXT NOT NULL,
  score DOUBLE PRECISION,
  since BIGINT NOT NULL,
  until BIGINT,
  PRIMARY KEY (value, source, object)
);
CREATE INDEX cti_values_object ON cti_values (object);

-- Lists loaded as a whole.
CREATE TABLE cti_sources (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  held BIGINT NOT NULL,
  licence TEXT NOT NULL,
  loaded_at BIGINT NOT NULL
);

-- Decisions to hand an incident to a peer, and where they stand. Retention: 400 days.
CREATE TABLE cti_shares (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  incident TEXT NOT NULL,
  peer TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  state TEXT NOT NULL,
  tlp TEXT NOT NULL,
  actor TEXT NOT NULL,
  decision TEXT NOT NULL,
  objects BIGINT NOT NULL,
  pseudonymised BIGINT NOT NULL,
  envelope TEXT NOT NULL,
  digest TEXT NOT NULL,
  signature TEXT NOT NULL,
  receipt TEXT,
  answer TEXT,
  attempts BIGINT NOT NULL,
  last_error TEXT,
  decided_at BIGINT NOT NULL,
  delivered_at BIGINT,
  acknowledged_at BIGINT
);
CREATE INDEX cti_shares_incident ON cti_shares (incident, decided_at);
CREATE INDEX cti_shares_state ON cti_shares (state, peer);

CREATE TABLE cti_share_history (
  share TEXT NOT NULL,
  position BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (share, position)
);

-- Incidents that peers shared with us; one row opens one incident, once; a newer
-- version by the same sender renews it.
CREATE TABLE cti_received (
  incident TEXT PRIMARY KEY,
  object TEXT NOT NULL,
  version BIGINT NOT NULL,
  sender TEXT NOT NULL,
  sender_peer TEXT,
  share TEXT,
  note TEXT,
  recorded_at BIGINT NOT NULL
);

-- How far we have read a peer's answers, and how the last contact went.
CREATE TABLE cti_contacts (
  peer TEXT PRIMARY KEY,
  added_after TEXT,
  last_contact BIGINT,
  last_try BIGINT,
  last_error TEXT
);
