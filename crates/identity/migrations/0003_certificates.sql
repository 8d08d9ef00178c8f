-- Client certificates of this node's authority for programs that are no nodes. Revoked and expired ones stay: they
-- are the list by which a certificate that TLS still finds sound opens nothing.
CREATE TABLE identity_certificates (
  id TEXT PRIMARY KEY,
  label TEXT NOT NULL,
  roles TEXT NOT NULL,
  grants TEXT NOT NULL,
  fingerprint TEXT NOT NULL UNIQUE,
  serial TEXT NOT NULL,
  made_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
