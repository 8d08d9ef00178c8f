-- Orders to checkpoint agents and what became of them. Retention: kept; they are the record of what was restarted.
CREATE TABLE recovery_orders (
  key TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  service TEXT NOT NULL,
  verb TEXT NOT NULL,
  -- ports::checkpoint::CheckpointOrder as JSON.
  body TEXT NOT NULL,
  incident TEXT,
  actor TEXT NOT NULL,
  -- `waiting`, `working`, `done`, `failed`.
  state TEXT NOT NULL,
  -- One sentence on how it stands.
  detail TEXT NOT NULL,
  -- ports::checkpoint::RecoveryReport as JSON, once done.
  report TEXT,
  -- What is offered instead, as a JSON array.
  offers TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX recovery_orders_time ON recovery_orders (asked_at, key);

-- How it is seen that a device is well. Retention: until a person removes it.
CREATE TABLE recovery_checks (
  id TEXT PRIMARY KEY,
  -- MAC address in lower-case colon form, or network address.
  target TEXT NOT NULL,
  -- `tcp`, `http`, `modbus`.
  kind TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX recovery_checks_target ON recovery_checks (target);

-- Incidents whose block is being lifted. Retention: with the incident.
CREATE TABLE recovery_cases (
  incident TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  -- model::BlockTarget as JSON.
  target TEXT NOT NULL,
  -- `holding`, `trial`, `recovered`, `escalated`, `stopped`.
  stage TEXT NOT NULL,
  -- Trials passed in a row.
  trial BIGINT NOT NULL,
  -- Trials failed.
  failures BIGINT NOT NULL,
  -- ports::recovery::ScoreMark as JSON, where the device was ever scored.
  mark TEXT,
  detail TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Delays between infection and first evidence that people found out. Retention: kept; they teach the estimate.
CREATE TABLE recovery_delays (
  incident TEXT PRIMARY KEY,
  delay_s BIGINT NOT NULL,
  said_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
