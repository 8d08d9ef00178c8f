-- Facts in sequence: the outbox, the feed of open pages, the source of the accountability log.
-- Retention: 400 days; the newest row always stays (it holds the sequence).
CREATE TABLE platform_facts (
  seq BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  sentence TEXT NOT NULL,
  payload TEXT NOT NULL,
  event_at BIGINT,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX platform_facts_subject ON platform_facts (subject, seq);

-- How far each consumer has come; moved in the consumer's own transaction.
CREATE TABLE platform_cursors (
  consumer TEXT PRIMARY KEY,
  seq BIGINT NOT NULL
);

-- Facts a consumer could not take after all its tries; shown by the doctor, never deleted by itself.
CREATE TABLE platform_dead_facts (
  consumer TEXT NOT NULL,
  seq BIGINT NOT NULL,
  reason TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (consumer, seq)
);

-- Work with the outside that must survive a crash. Done jobs keep their key for 30 days.
CREATE TABLE platform_jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  last_error TEXT,
  recorded_at BIGINT NOT NULL,
  ended_at BIGINT,
  UNIQUE (kind, key)
);
CREATE INDEX platform_jobs_due ON platform_jobs (state, due_at);

-- Small settings of the node itself (identity, marks).
CREATE TABLE platform_settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
