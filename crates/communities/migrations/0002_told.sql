-- The version of the community that a member was last told (its letter was queued); -1: its end could not be told yet.
ALTER TABLE communities_members ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
