-- Where mail reaches the person; NULL: they did not say.
ALTER TABLE identity_users ADD COLUMN mail TEXT;
