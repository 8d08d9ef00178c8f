-- Gateways that have ever connected. Retention: kept.
CREATE TABLE gateway_edges (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  not_enforcing TEXT,
  source TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  last_contact BIGINT NOT NULL,
  refused_batches BIGINT NOT NULL
);

-- Orders to gateways; repeated until the gateway says what became of them. Retention: 400 days.
CREATE TABLE gateway_orders (
  key TEXT PRIMARY KEY,
  edge TEXT NOT NULL,
  verb TEXT NOT NULL,
  timeout_s BIGINT,
  target TEXT NOT NULL,
  mac TEXT,
  state TEXT NOT NULL,
  outcome TEXT,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  done_at BIGINT,
  lifted_at BIGINT,
  forwarded_before BIGINT,
  forwarded_after BIGINT,
  dropped_after BIGINT
);
CREATE INDEX gateway_orders_state ON gateway_orders (edge, state);

-- Counter history, at most one row a second, gateway and device. Retention: newest rows only (config).
CREATE TABLE gateway_counters (
  edge TEXT NOT NULL,
  mac TEXT NOT NULL,
  at BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  forwarded_packets BIGINT NOT NULL,
  forwarded_bytes BIGINT NOT NULL,
  dropped_packets BIGINT NOT NULL,
  dropped_bytes BIGINT NOT NULL,
  blocked BIGINT NOT NULL,
  PRIMARY KEY (edge, mac, at)
);
