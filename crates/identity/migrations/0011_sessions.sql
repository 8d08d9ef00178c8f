-- When a session was last used, from which address, with which browser, and when its holder last proved who they are.
ALTER TABLE identity_sessions ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_sessions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
