-- Credentials that playbooks refer to by name: sealed by a key of the folder keys/, never given out again.
-- Retention: kept until a person removes them.
CREATE TABLE playbooks_secrets (
  name TEXT PRIMARY KEY,
  -- base64 of nonce and ciphertext
  sealed TEXT NOT NULL,
  -- hosts it may be used with (JSON)
  hosts TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at BIGINT NOT NULL
);
