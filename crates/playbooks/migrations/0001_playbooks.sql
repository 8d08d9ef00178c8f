-- Playbooks as received (CACAO v2 JSON) and when they start by themselves.
-- Retention: kept until replaced by a newer version under the same CACAO id.
CREATE TABLE playbooks_playbooks (
  id TEXT PRIMARY KEY,
  cacao_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  modified BIGINT NOT NULL,
  body TEXT NOT NULL,
  start_on TEXT,
  steps BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- One execution each. The body is the version that runs: a newer one never changes a run under way.
-- Retention: 400 days after the end.
CREATE TABLE playbooks_runs (
  id TEXT PRIMARY KEY,
  playbook TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  incident TEXT,
  trigger_text TEXT NOT NULL,
  -- one run per (playbook, incident) that starts by itself
  start_key TEXT NOT NULL UNIQUE,
  variables TEXT NOT NULL,
  -- steps to go on with when a branch ends, innermost last (JSON)
  returns TEXT NOT NULL,
  position BIGINT NOT NULL,
  not_enforced BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  note TEXT,
  started_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX playbooks_runs_recent ON playbooks_runs (started_at, id);
CREATE INDEX playbooks_runs_incident ON playbooks_runs (incident, started_at);

-- Steps in the order they were reached. Retention: with the run.
CREATE TABLE playbooks_steps (
  run TEXT NOT NULL,
  position BIGINT NOT NULL,
  step TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  actuator TEXT,
  verb TEXT,
  arguments TEXT,
  state TEXT NOT NULL,
  -- which command of the step is being carried out, and the outcomes of those before (JSON)
  command BIGINT NOT NULL,
  outcomes TEXT NOT NULL,
  outcome TEXT,
  due_at BIGINT,
  deadline_at BIGINT,
  started_at BIGINT,
  ended_at BIGINT,
  attempts BIGINT NOT NULL,
  PRIMARY KEY (run, position)
);

-- Messages to people, newest 10,000.
CREATE TABLE playbooks_notices (
  key TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  link TEXT,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX playbooks_notices_recent ON playbooks_notices (recorded_at, key);

-- How severe incidents of our own were when last heard of: a playbook also starts when one becomes
-- severe enough later. Retention: with the incident.
CREATE TABLE playbooks_incidents (
  id TEXT PRIMARY KEY,
  severity TEXT NOT NULL
);
