-- Commands that can be taken back: written before they are asked, with what came of them, until somebody takes them
-- back. Credentials of a playbook's own are not kept. Retention: with the run.
CREATE TABLE playbooks_effects (
  -- the command's key
  key TEXT PRIMARY KEY,
  run TEXT NOT NULL,
  position BIGINT NOT NULL,
  actuator TEXT NOT NULL,
  verb TEXT NOT NULL,
  arguments TEXT NOT NULL,
  incident TEXT,
  -- asked, there, failed, undone
  state TEXT NOT NULL,
  summary TEXT NOT NULL,
  data TEXT NOT NULL,
  undone_by TEXT,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX playbooks_effects_step ON playbooks_effects (run, position);
