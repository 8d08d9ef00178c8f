-- Mails that ask a person for an answer, or tell of a delegation, and what became of each. The link of a mail is nowhere:
-- it is made of this row and a key of the folder keys/. Retention: 400 days.
CREATE TABLE playbooks_letters (
  id TEXT PRIMARY KEY,
  -- proposal, step, delegation
  kind TEXT NOT NULL,
  -- the proposal's id, RUN/POSITION of the step, the delegation's id
  about TEXT NOT NULL,
  -- what the question was when it was asked; a link answers no other version
  version TEXT NOT NULL,
  -- made, again, passed, told
  round TEXT NOT NULL,
  -- whom it was written to
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  -- in whose place the answer is given; empty: the person's own voice
  giver TEXT NOT NULL,
  giver_name TEXT NOT NULL,
  -- who passed the question on; empty: nobody
  passed_by TEXT NOT NULL,
  -- the label of an incident of others that it is about
  tlp TEXT,
  -- queued, sent, failed, dropped
  state TEXT NOT NULL,
  reason TEXT,
  attempts BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  sent_at BIGINT,
  expires_at BIGINT NOT NULL,
  -- when its link answered
  used_at BIGINT,
  UNIQUE (kind, about, version, round, account, giver)
);
CREATE INDEX playbooks_letters_recent ON playbooks_letters (recorded_at, id);
CREATE INDEX playbooks_letters_about ON playbooks_letters (about, recorded_at);

-- Voices that people gave to others for a time. Retention: for ever, so that old answers can be explained.
CREATE TABLE playbooks_delegations (
  id TEXT PRIMARY KEY,
  giver TEXT NOT NULL,
  giver_name TEXT NOT NULL,
  taker TEXT NOT NULL,
  taker_name TEXT NOT NULL,
  -- 1: for proposals; 1: for manual steps
  proposals BIGINT NOT NULL,
  steps BIGINT NOT NULL,
  -- only for this playbook; NULL: for all
  playbook TEXT,
  comment TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  revoked_at BIGINT,
  revoked_by TEXT
);
CREATE INDEX playbooks_delegations_until ON playbooks_delegations (until_at);
