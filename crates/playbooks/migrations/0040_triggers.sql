-- Why playbooks start by themselves: up to eight reasons each. Retention: with the playbook.
CREATE TABLE playbooks_triggers (
  id TEXT PRIMARY KEY,
  playbook TEXT NOT NULL,
  -- `incidents.opened`, `findings.raised`, `intel.new`, `intel.hit`, `schedule`, `webhook`
  start_on TEXT NOT NULL,
  body TEXT NOT NULL,
  -- grows with every change: jobs and readers of an older one do nothing
  revision BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  -- schedule: the next moment
  next_at BIGINT,
  -- intelligence: the last version read; others: the last fact before it was made
  cursor BIGINT NOT NULL DEFAULT 0,
  -- intelligence: what was gathered for the next run (JSON)
  gathered TEXT,
  -- webhook: what the secret is derived from, with the node's key; NULL: revoked
  salt TEXT,
  started BIGINT NOT NULL DEFAULT 0,
  proposed BIGINT NOT NULL DEFAULT 0,
  -- what matched and did not start: cool-down, bounds
  held BIGINT NOT NULL DEFAULT 0,
  -- moments that passed without a start: missed, overlapping
  skipped BIGINT NOT NULL DEFAULT 0,
  last_at BIGINT,
  last_run TEXT,
  last_proposal TEXT,
  note TEXT
);
CREATE INDEX playbooks_triggers_of ON playbooks_triggers (playbook, id);
CREATE INDEX playbooks_triggers_on ON playbooks_triggers (start_on);

-- The one trigger that a playbook could have so far keeps the id of its playbook.
INSERT INTO playbooks_triggers (id, playbook, start_on, body, revision, changed_by, changed_at)
  SELECT id, id, 'incidents.opened', start_on, 1, 'system', recorded_at
  FROM playbooks_playbooks WHERE start_on IS NOT NULL;
UPDATE playbooks_playbooks SET start_on = NULL;

-- When a playbook last started because of a device or a value. Retention: eight days, longer than any cool-down.
CREATE TABLE playbooks_cooldowns (
  playbook TEXT NOT NULL,
  about TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (playbook, about)
);
CREATE INDEX playbooks_cooldowns_at ON playbooks_cooldowns (at);

-- What a proposal hands to its run, and the label that binds both.
ALTER TABLE playbooks_proposals ADD COLUMN given TEXT;
ALTER TABLE playbooks_proposals ADD COLUMN tlp TEXT;

-- How often a playbook started by itself within an hour.
CREATE INDEX playbooks_runs_of ON playbooks_runs (playbook, started_at);
