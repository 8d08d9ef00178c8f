-- The name that is shown, when the account was switched off (NULL: it is in use), and its last sign-in.
ALTER TABLE identity_users ADD COLUMN shown TEXT;
ALTER TABLE identity_users ADD COLUMN disabled_at BIGINT;
ALTER TABLE identity_users ADD COLUMN signed_in_at BIGINT;
