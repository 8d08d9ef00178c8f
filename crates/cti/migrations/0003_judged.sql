-- Objects of a share that stayed, and those that went changed by rules of redaction.
ALTER TABLE cti_shares ADD COLUMN left_out BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cti_shares ADD COLUMN redacted BIGINT NOT NULL DEFAULT 0;
