ALTER TABLE incidents_incidents ADD COLUMN owner TEXT NULL;
ALTER TABLE incidents_incidents ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE incidents_incidents ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
