-- How a feed is asked. The secret itself lies in keys/, never here.
ALTER TABLE feedhub_feeds ADD COLUMN auth TEXT;

-- Where the reading of a source stands (JSON of its kind); written in the transaction of what was read.
CREATE TABLE feedhub_cursors (
  feed TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (feed, name)
);

-- What a source offers one by one (events, advisories), and in which state it was read last.
CREATE TABLE feedhub_items (
  feed TEXT NOT NULL,
  item TEXT NOT NULL,
  stamp TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (feed, item)
);

-- Which objects an item put into the store.
CREATE TABLE feedhub_said (
  feed TEXT NOT NULL,
  item TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (feed, item, id)
);
CREATE INDEX feedhub_said_id ON feedhub_said (feed, id);

-- What of ours goes to servers of others. `origin` is the JSON of what is sent, `highest` the rank of the highest
-- label that leaves, `place` how far the other side has acknowledged.
CREATE TABLE feedhub_pushes (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  auth TEXT,
  origin TEXT NOT NULL,
  highest BIGINT NOT NULL,
  every_minutes BIGINT NOT NULL,
  paused BIGINT NOT NULL,
  place BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  withheld BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_try BIGINT,
  last_ok BIGINT,
  last_error TEXT,
  recorded_at BIGINT NOT NULL
);

-- What the other side has not taken for good: `pending` under one of its statuses, or `failed` with its reason.
CREATE TABLE feedhub_unsent (
  push TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  status TEXT,
  reason TEXT,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (push, id, version)
);
