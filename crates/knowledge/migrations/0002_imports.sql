-- Files brought in by people, each with how far it got. `state`: waiting, storing, done, failed. Of the objects
-- that can be stored `done` are, from the front: a node that died goes on behind them.
CREATE TABLE knowledge_imports (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  made_by TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  tlp TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  state TEXT NOT NULL,
  error TEXT NOT NULL,
  objects BIGINT NOT NULL,
  done BIGINT NOT NULL,
  new BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  older BIGINT NOT NULL,
  same BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  ended_at BIGINT
);

-- What of them was not stored, with its place in the file.
CREATE TABLE knowledge_import_problems (
  import TEXT NOT NULL,
  place BIGINT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (import, place)
);
