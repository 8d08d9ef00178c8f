-- Galaxies with their clusters: those that were loaded (`own` 0) and those that people made here. `tag` is what puts a
-- cluster on a thing, `lower` the same in lower case. `tlp` is the rank that holds here. Retention: kept until deleted.
CREATE TABLE misphub_galaxies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  body TEXT NOT NULL
);

CREATE TABLE misphub_clusters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  galaxy BIGINT NOT NULL,
  value TEXT NOT NULL,
  tag TEXT NOT NULL,
  lower TEXT NOT NULL,
  own BIGINT NOT NULL,
  published BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX misphub_clusters_galaxy ON misphub_clusters (galaxy);
CREATE INDEX misphub_clusters_lower ON misphub_clusters (lower);

CREATE TABLE misphub_cluster_relations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cluster BIGINT NOT NULL,
  target TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (cluster, target, type)
);

-- What people switched on of what ships: taxonomies.
CREATE TABLE misphub_switched (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  required BIGINT NOT NULL,
  PRIMARY KEY (kind, name)
);

CREATE TABLE misphub_tag_collections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  body TEXT NOT NULL
);
