-- Organisations that have no node; what is noted of the others stands in communities_organisations.
CREATE TABLE communities_nodeless (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  sector TEXT NOT NULL,
  country TEXT NOT NULL,
  note TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
