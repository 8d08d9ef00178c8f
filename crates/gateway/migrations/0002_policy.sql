-- Orders beyond blocks: the whole verb, the traffic it is about, and why, as JSON and text.
ALTER TABLE gateway_orders ADD COLUMN spec TEXT;
ALTER TABLE gateway_orders ADD COLUMN flow TEXT;
ALTER TABLE gateway_orders ADD COLUMN why TEXT;

-- Dropped packets by reason, as JSON.
ALTER TABLE gateway_counters ADD COLUMN reasons TEXT;

-- The policy of each gateway as last set, as JSON (without allow lists). Retention: kept.
CREATE TABLE gateway_policies (
  edge TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  mode TEXT NOT NULL,
  fail TEXT NOT NULL,
  protect TEXT NOT NULL,
  taken_version BIGINT,
  problem TEXT
);

-- Every change of a policy or an allow list. Retention: 400 days.
CREATE TABLE gateway_policy_history (
  edge TEXT NOT NULL,
  version BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (edge, version)
);

-- Allow lists: 'learning' ones take up what is seen, 'frozen' ones are enforced, 'off' ones are kept. Retention: kept.
CREATE TABLE gateway_allow_lists (
  edge TEXT NOT NULL,
  device TEXT NOT NULL,
  state TEXT NOT NULL,
  learn_until BIGINT,
  PRIMARY KEY (edge, device)
);

-- Entries of allow lists, with where they come from. Retention: with their list.
CREATE TABLE gateway_allow_entries (
  edge TEXT NOT NULL,
  device TEXT NOT NULL,
  entry TEXT NOT NULL,
  source TEXT NOT NULL,
  packets BIGINT NOT NULL,
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  PRIMARY KEY (edge, device, entry)
);

-- Rule numbers that OpenC2 commands were answered with. Retention: with their order.
CREATE TABLE gateway_openc2_rules (
  rule_number BIGINT PRIMARY KEY,
  order_key TEXT NOT NULL,
  edge TEXT NOT NULL,
  made_at BIGINT NOT NULL
);
