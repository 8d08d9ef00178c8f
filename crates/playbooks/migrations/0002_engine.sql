-- What a run executes, once for all runs of the same version: the playbook and those it calls, as
-- they were when the run began (JSON). Retention: with the runs.
CREATE TABLE playbooks_books (
  sha256 TEXT PRIMARY KEY,
  body TEXT NOT NULL
);

-- The book of a run; NULL for runs begun by an earlier version, whose body stands in the row.
ALTER TABLE playbooks_runs ADD COLUMN book TEXT;
-- Where the run stands: its tokens, what follows when branches end, variables of branches and of
-- playbooks called (JSON); NULL for runs begun by an earlier version, which go on from `returns`.
ALTER TABLE playbooks_runs ADD COLUMN tree TEXT;
-- Grows with every transition: whoever computed on an older one looks again.
ALTER TABLE playbooks_runs ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
-- When the run has to be looked at; NULL when nothing but a person moves it on.
ALTER TABLE playbooks_runs ADD COLUMN wake_at BIGINT;
-- When the whole run has to be over.
ALTER TABLE playbooks_runs ADD COLUMN deadline_at BIGINT;
ALTER TABLE playbooks_runs ADD COLUMN paused_at BIGINT;
-- 1: nothing outside is touched.
ALTER TABLE playbooks_runs ADD COLUMN rehearsal BIGINT NOT NULL DEFAULT 0;
-- The run that this one tries again.
ALTER TABLE playbooks_runs ADD COLUMN retry_of TEXT;
CREATE INDEX playbooks_runs_wake ON playbooks_runs (wake_at) WHERE wake_at IS NOT NULL;
-- Those that wait for a person.
CREATE INDEX playbooks_runs_waiting ON playbooks_runs (started_at) WHERE state = 'waiting';
-- Runs under way go on in the new form.
UPDATE playbooks_runs SET wake_at = 0 WHERE state IN ('running', 'waiting', 'cancelled');
-- A week, as the setting is when nobody changes it.
UPDATE playbooks_runs SET deadline_at = started_at + 604800000000 WHERE state IN ('running', 'waiting');

-- 1: written before a command is asked that must not be asked twice.
ALTER TABLE playbooks_steps ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
-- The step it is inside of (position), and the playbook called that it belongs to (CACAO id).
ALTER TABLE playbooks_steps ADD COLUMN parent BIGINT;
ALTER TABLE playbooks_steps ADD COLUMN playbook TEXT;
