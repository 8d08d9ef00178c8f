-- Feeds: what is fetched, how it is read, and how it went. `counts` is the JSON of the last run. A feed without
-- address is loaded by hand only.
CREATE TABLE feedhub_feeds (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT,
  format TEXT NOT NULL,
  every_minutes BIGINT NOT NULL,
  tlp TEXT NOT NULL,
  licence TEXT NOT NULL,
  whole BIGINT NOT NULL,
  paused BIGINT NOT NULL,
  etag TEXT,
  last_modified TEXT,
  next_at BIGINT NOT NULL,
  last_try BIGINT,
  last_ok BIGINT,
  last_error TEXT,
  counts TEXT,
  recorded_at BIGINT NOT NULL
);

-- What the last run refused, the first thousand.
CREATE TABLE feedhub_rejects (
  feed TEXT NOT NULL,
  position BIGINT NOT NULL,
  place TEXT NOT NULL,
  reason TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  PRIMARY KEY (feed, position)
);
