-- Public keys whose signatures on playbooks this node trusts. Retention: until removed; a revoked one stays.
CREATE TABLE playbooks_keys (
  -- SHA-256 of the SubjectPublicKeyInfo, hexadecimal
  fingerprint TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- the SubjectPublicKeyInfo, base64
  spki TEXT NOT NULL,
  -- of the certificate it came in (x5t#S256), for signatures that only name that
  thumbprint TEXT,
  added_at BIGINT NOT NULL,
  revoked_at BIGINT
);
