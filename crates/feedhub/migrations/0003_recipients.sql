-- The organisation that a push goes to; NULL: one without a name.
ALTER TABLE feedhub_pushes ADD COLUMN recipient TEXT;
