-- The organisation that a token or an account is for; NULL: it is of the house.
ALTER TABLE identity_tokens ADD COLUMN recipient TEXT;
ALTER TABLE identity_users ADD COLUMN recipient TEXT;
