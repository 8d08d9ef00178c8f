-- What is normal between machines and who commands them: one machine model per edge.
-- `operations` counts what is learned from, `reports` what is stored of it.
CREATE TABLE detection_machines (
  edge TEXT PRIMARY KEY,
  phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  fallback TEXT NOT NULL,
  generation BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  operations BIGINT NOT NULL,
  reports BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  place BIGINT NOT NULL,
  version BIGINT NOT NULL,
  judged BIGINT NOT NULL,
  unusual BIGINT NOT NULL,
  informed BIGINT NOT NULL,
  suppressed BIGINT NOT NULL,
  kept_out BIGINT NOT NULL,
  unwatched BIGINT NOT NULL,
  unread BIGINT NOT NULL,
  unjudged BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Reports of operations that wait: `train` for the training, `wait` for its end. Gone once used.
-- Retention: the newest detection.max_training_reports of an edge.
CREATE TABLE detection_operations (
  edge TEXT NOT NULL,
  role TEXT NOT NULL,
  place BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  report TEXT NOT NULL,
  PRIMARY KEY (edge, role, place)
);

-- Every version of a machine model; the text is a blob. `origin`: learned, edited or taught.
-- Retention: kept, they are evidence.
CREATE TABLE detection_machine_models (
  edge TEXT NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  origin TEXT NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  blob TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  pairs BIGINT NOT NULL,
  functions BIGINT NOT NULL,
  operations BIGINT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  signature TEXT NOT NULL,
  signed_by TEXT NOT NULL,
  PRIMARY KEY (edge, number)
);

-- A command that a person called normal, JSON.
ALTER TABLE detection_suppressions ADD COLUMN command TEXT;

-- What GOOSE publishers and MMS associations keep to, per edge. `memory` is what the judge remembers
-- from message to message, JSON; it changes with the batch that changed it.
CREATE TABLE detection_laws (
  edge TEXT NOT NULL,
  protocol TEXT NOT NULL,
  phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  generation BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  messages BIGINT NOT NULL,
  reports BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  place BIGINT NOT NULL,
  version BIGINT NOT NULL,
  judged BIGINT NOT NULL,
  unusual BIGINT NOT NULL,
  informed BIGINT NOT NULL,
  suppressed BIGINT NOT NULL,
  kept_out BIGINT NOT NULL,
  unwatched BIGINT NOT NULL,
  untold BIGINT NOT NULL,
  unjudged BIGINT NOT NULL,
  advanced_us BIGINT NOT NULL,
  memory TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (edge, protocol)
);

-- Every version of such a model; the model is a blob. Retention: kept, they are evidence.
CREATE TABLE detection_law_models (
  edge TEXT NOT NULL,
  protocol TEXT NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  blob TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  messages BIGINT NOT NULL,
  trained_from BIGINT NOT NULL,
  trained_to BIGINT NOT NULL,
  signature TEXT NOT NULL,
  signed_by TEXT NOT NULL,
  PRIMARY KEY (edge, protocol, number)
);
