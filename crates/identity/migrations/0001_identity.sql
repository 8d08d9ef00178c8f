-- People with an account. Kept until an administrator removes them.
CREATE TABLE identity_users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,
  roles TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- Open sessions; only a digest of the cookie is kept. Retention: until they expire.
CREATE TABLE identity_sessions (
  digest TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX identity_sessions_user ON identity_sessions (user_id, recorded_at);

-- API tokens; only a digest of the secret is kept. Revoked ones stay, so that logs can be read.
CREATE TABLE identity_tokens (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  label TEXT NOT NULL,
  roles TEXT NOT NULL,
  grants TEXT NOT NULL,
  made_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);

-- Invitations; only a digest of the code is kept. A used one remembers its answer, so that a node
-- that died while joining gets the same certificate again. Retention: 30 days after they expire.
CREATE TABLE identity_invitations (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  made_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_by TEXT,
  request TEXT,
  certificate TEXT
);

-- Nodes we exchange with. `url` and `ca` are there when we call them; `certificate` is the SHA-256
-- of the public key in the client certificate we issued when they call us.
CREATE TABLE identity_peers (
  id TEXT PRIMARY KEY,
  node TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT,
  ca TEXT,
  certificate TEXT,
  fingerprint TEXT NOT NULL,
  signing_key TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  revoked_at BIGINT
);
