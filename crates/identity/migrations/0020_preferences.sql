-- How a person wants the console. Retention: with the account.
CREATE TABLE identity_preferences (
  user_id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Lists and pages as somebody keeps them: own ones, and those that everybody here is offered.
-- Retention: until removed by their owner or an administrator.
CREATE TABLE identity_views (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  owner_name TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  shared BIGINT NOT NULL,
  position BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX identity_views_owner ON identity_views (owner, position);
CREATE INDEX identity_views_shared ON identity_views (shared, name);

-- What only they saw goes with the person; what they shared stays with the team.
CREATE TRIGGER identity_preferences_gone AFTER DELETE ON identity_users BEGIN
  DELETE FROM identity_preferences WHERE user_id = OLD.id;
  DELETE FROM identity_views WHERE owner = OLD.id AND shared = 0;
END;
