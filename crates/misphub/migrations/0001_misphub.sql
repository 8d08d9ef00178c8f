-- MISP events as they came: `body` is the JSON of the event itself without what has tables of its own; columns are
-- for finding. `tlp` is the rank that holds here (0 clear … 4 red). Retention: kept until deleted.
CREATE TABLE misphub_events (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  orgc BIGINT NOT NULL,
  info TEXT NOT NULL,
  date TEXT NOT NULL,
  published BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  publish_stamp BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  body TEXT NOT NULL,
  made_by TEXT NOT NULL
);

CREATE TABLE misphub_attributes (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  object BIGINT NOT NULL,
  type TEXT NOT NULL,
  category TEXT NOT NULL,
  value TEXT NOT NULL,
  lower TEXT NOT NULL,
  to_ids BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_attributes_event ON misphub_attributes (event);
CREATE INDEX misphub_attributes_lower ON misphub_attributes (lower);
CREATE INDEX misphub_attributes_stamp ON misphub_attributes (stamp);

CREATE TABLE misphub_objects (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  name TEXT NOT NULL,
  stamp BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_objects_event ON misphub_objects (event);

CREATE TABLE misphub_references (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  object BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_references_event ON misphub_references (event);

CREATE TABLE misphub_tags (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);

-- Which tag is on what: `kind` is event or attribute.
CREATE TABLE misphub_tagged (
  kind TEXT NOT NULL,
  thing BIGINT NOT NULL,
  tag BIGINT NOT NULL,
  local BIGINT NOT NULL,
  PRIMARY KEY (kind, thing, tag)
);
CREATE INDEX misphub_tagged_tag ON misphub_tagged (tag);

CREATE TABLE misphub_sightings (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  attribute BIGINT NOT NULL,
  event BIGINT NOT NULL,
  org BIGINT NOT NULL,
  type TEXT NOT NULL,
  source TEXT NOT NULL,
  seen BIGINT NOT NULL
);
CREATE INDEX misphub_sightings_attribute ON misphub_sightings (attribute);
CREATE INDEX misphub_sightings_event ON misphub_sightings (event);

CREATE TABLE misphub_orgs (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
);

CREATE TABLE misphub_groups (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
