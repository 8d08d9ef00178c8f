-- When an incident was contained, eradicated, recovered: the first time of each. Retention: with the incident.
CREATE TABLE incidents_milestones (
  incident TEXT NOT NULL,
  -- `contained`, `eradicated`, `recovered`.
  name TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (incident, name)
);
