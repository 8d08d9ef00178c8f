-- Numbers are never given twice: clients keep them, and what is deleted must not come back as another thing. SQLite
-- takes AUTOINCREMENT only when a table is made, so the tables are made anew. `revision` counts every change of an
-- event, also several within the second that `stamp` tells.
CREATE TABLE misphub_events_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  orgc BIGINT NOT NULL,
  info TEXT NOT NULL,
  date TEXT NOT NULL,
  published BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  publish_stamp BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  body TEXT NOT NULL,
  made_by TEXT NOT NULL,
  revision BIGINT NOT NULL
);
INSERT INTO misphub_events_new SELECT id, uuid, orgc, info, date, published, stamp, publish_stamp, tlp, body, made_by, 0
FROM misphub_events;
DROP TABLE misphub_events;
ALTER TABLE misphub_events_new RENAME TO misphub_events;
CREATE INDEX misphub_events_orgc ON misphub_events (orgc);

CREATE TABLE misphub_attributes_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
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
INSERT INTO misphub_attributes_new SELECT id, uuid, event, object, type, category, value, lower, to_ids, stamp, deleted,
body FROM misphub_attributes;
DROP TABLE misphub_attributes;
ALTER TABLE misphub_attributes_new RENAME TO misphub_attributes;
CREATE INDEX misphub_attributes_event ON misphub_attributes (event);
CREATE INDEX misphub_attributes_lower ON misphub_attributes (lower);
CREATE INDEX misphub_attributes_stamp ON misphub_attributes (stamp);

CREATE TABLE misphub_objects_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  name TEXT NOT NULL,
  stamp BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  body TEXT NOT NULL
);
INSERT INTO misphub_objects_new SELECT id, uuid, event, name, stamp, deleted, body FROM misphub_objects;
DROP TABLE misphub_objects;
ALTER TABLE misphub_objects_new RENAME TO misphub_objects;
CREATE INDEX misphub_objects_event ON misphub_objects (event);

CREATE TABLE misphub_references_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  event BIGINT NOT NULL,
  object BIGINT NOT NULL,
  body TEXT NOT NULL
);
INSERT INTO misphub_references_new SELECT id, uuid, event, object, body FROM misphub_references;
DROP TABLE misphub_references;
ALTER TABLE misphub_references_new RENAME TO misphub_references;
CREATE INDEX misphub_references_event ON misphub_references (event);

CREATE TABLE misphub_tags_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
INSERT INTO misphub_tags_new SELECT id, name, body FROM misphub_tags;
DROP TABLE misphub_tags;
ALTER TABLE misphub_tags_new RENAME TO misphub_tags;

CREATE TABLE misphub_sightings_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  attribute BIGINT NOT NULL,
  event BIGINT NOT NULL,
  org BIGINT NOT NULL,
  type TEXT NOT NULL,
  source TEXT NOT NULL,
  seen BIGINT NOT NULL
);
INSERT INTO misphub_sightings_new SELECT id, uuid, attribute, event, org, type, source, seen FROM misphub_sightings;
DROP TABLE misphub_sightings;
ALTER TABLE misphub_sightings_new RENAME TO misphub_sightings;
CREATE INDEX misphub_sightings_attribute ON misphub_sightings (attribute);
CREATE INDEX misphub_sightings_event ON misphub_sightings (event);
CREATE INDEX misphub_sightings_org ON misphub_sightings (org);

CREATE TABLE misphub_groups_new (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
INSERT INTO misphub_groups_new SELECT id, uuid, name, body FROM misphub_groups;
DROP TABLE misphub_groups;
ALTER TABLE misphub_groups_new RENAME TO misphub_groups;

-- What a published event put into the store of intelligence, under which source: what it no longer says is withdrawn.
CREATE TABLE misphub_stored (
  event BIGINT NOT NULL,
  id TEXT NOT NULL,
  source BIGINT NOT NULL,
  PRIMARY KEY (event, id)
);
CREATE INDEX misphub_stored_id ON misphub_stored (id);
