-- The organisation that a token, an account or a certificate is for; NULL: it is of the house.
ALTER TABLE identity_tokens ADD COLUMN recipient TEXT;
ALTER TABLE identity_users ADD COLUMN recipient TEXT;
ALTER TABLE identity_certificates ADD COLUMN recipient TEXT;
