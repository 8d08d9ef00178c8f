-- What made the secret before the last rotation, and until when messages are signed by it too, microseconds UTC.
ALTER TABLE webhooks_hooks ADD COLUMN salt_before TEXT NOT NULL DEFAULT '';
ALTER TABLE webhooks_hooks ADD COLUMN salt_before_until BIGINT NOT NULL DEFAULT 0;
