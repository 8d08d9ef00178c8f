-- What is noted of an organisation beside what the exchange of certificates says; one organisation a node.
CREATE TABLE communities_organisations (
  node TEXT PRIMARY KEY,
  kind TEXT,
  sector TEXT NOT NULL,
  country TEXT NOT NULL,
  note TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Communities this node leads (leader_peer NULL) or belongs to. `version` counts changes of roster and rules: what a
-- leader tells again or late changes nothing. `serial` is the last one given to a certificate. `asked` is the digest of
-- the invitation we asked to join by and have no answer to.
CREATE TABLE communities_communities (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  max_tlp BIGINT NOT NULL,
  contribute TEXT NOT NULL,
  roster TEXT NOT NULL,
  onward BIGINT NOT NULL,
  leader_node TEXT NOT NULL,
  leader_name TEXT NOT NULL,
  leader_key TEXT NOT NULL,
  leader_peer TEXT,
  own_role TEXT NOT NULL,
  own_certificate TEXT,
  asked TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  serial BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Members: at the leader all that ever were, at a member those the leader tells of. `peer` is our id for them,
-- `invitation` the digest of what they came in by.
CREATE TABLE communities_members (
  community TEXT NOT NULL,
  node TEXT NOT NULL,
  peer TEXT,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  serial BIGINT NOT NULL,
  certificate TEXT NOT NULL,
  invitation TEXT NOT NULL,
  not_after BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (community, node)
);

-- Serials of certificates that no longer count although they have not ended.
CREATE TABLE communities_revoked (
  community TEXT NOT NULL,
  serial BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  PRIMARY KEY (community, serial)
);

-- Invitations made here, by the digest of their code.
CREATE TABLE communities_invitations (
  digest TEXT PRIMARY KEY,
  community TEXT NOT NULL,
  node TEXT NOT NULL,
  role TEXT NOT NULL,
  made_by TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  recorded_at BIGINT NOT NULL
);

-- Own sharing policies, all versions; the newest counts, and an empty text means it was removed.
CREATE TABLE communities_policies (
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  text TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (id, version)
);

-- What the policies must answer; run at every change.
CREATE TABLE communities_policy_tests (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
);

-- Rules for changes on the way out, applied in the order of their places.
CREATE TABLE communities_redactions (
  id TEXT PRIMARY KEY,
  place BIGINT NOT NULL,
  body TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
