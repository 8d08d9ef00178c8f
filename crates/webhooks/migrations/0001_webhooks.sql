-- Receivers. `events`, `types` and `labels` are JSON lists; empty lists of types and labels let everything pass. `salt`
-- makes the secret together with the node's key: the secret itself stands nowhere. `cursor` is the place in what became
-- known up to which deliveries were made; `next_n` numbers them.
CREATE TABLE webhooks_hooks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  types TEXT NOT NULL,
  labels TEXT NOT NULL,
  tlp BIGINT NOT NULL,
  salt TEXT NOT NULL,
  paused TEXT,
  failures BIGINT NOT NULL,
  delivered BIGINT NOT NULL,
  dropped BIGINT NOT NULL,
  cursor BIGINT NOT NULL,
  next_n BIGINT NOT NULL,
  last_ok BIGINT,
  last_error TEXT,
  created_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- What is still to be told, in order per hook, and what was given up (`dead`). Told ones are gone.
CREATE TABLE webhooks_deliveries (
  hook TEXT NOT NULL,
  n BIGINT NOT NULL,
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  dead BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  last_error TEXT,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (hook, n)
);
CREATE INDEX webhooks_deliveries_dead ON webhooks_deliveries (hook, dead, n);
