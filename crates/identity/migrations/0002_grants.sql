-- Rights of an account on single TAXII collections; with some it has no others.
ALTER TABLE identity_users ADD COLUMN grants TEXT NOT NULL DEFAULT '[]';
