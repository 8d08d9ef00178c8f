-- What happens by itself and what only after a person: one document (JSON), the newest version. Retention: for ever.
CREATE TABLE playbooks_automation (
  id BIGINT PRIMARY KEY,
  body TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);

-- Runs that wait for people to say yes. Retention: 400 days after the decision.
CREATE TABLE playbooks_proposals (
  id TEXT PRIMARY KEY,
  playbook TEXT NOT NULL,
  name TEXT NOT NULL,
  incident TEXT,
  level TEXT NOT NULL,
  reasons TEXT NOT NULL,
  trigger_text TEXT NOT NULL,
  -- the same as of the run that comes of it
  start_key TEXT NOT NULL UNIQUE,
  persons BIGINT NOT NULL,
  state TEXT NOT NULL,
  -- who said yes so far, with comment and time (JSON)
  voices TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  escalate_at BIGINT,
  expires_at BIGINT NOT NULL,
  decided_at BIGINT,
  decided_by TEXT,
  comment TEXT,
  run TEXT
);
CREATE INDEX playbooks_proposals_recent ON playbooks_proposals (recorded_at, id);
CREATE INDEX playbooks_proposals_open ON playbooks_proposals (state, recorded_at);

-- Commands that count against a limit, once per key. Retention: 31 days.
CREATE TABLE playbooks_counts (
  key TEXT NOT NULL,
  limit_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (key, limit_name)
);
CREATE INDEX playbooks_counts_recent ON playbooks_counts (limit_name, at);

-- The label of an incident of others that a run answers, or that a notice speaks of; NULL: our own.
ALTER TABLE playbooks_runs ADD COLUMN tlp TEXT;
ALTER TABLE playbooks_notices ADD COLUMN tlp TEXT;
