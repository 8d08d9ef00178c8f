-- What lists of incidents ask: one narrow row per incident, its marks and its texts, kept by triggers whoever writes.
-- Retention: with the incident.
CREATE TABLE incidents_list (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  -- 1 while somebody has to do something.
  open BIGINT NOT NULL,
  -- 0 low to 3 critical.
  severity BIGINT NOT NULL,
  -- 0 TLP:CLEAR to 4 TLP:RED.
  tlp BIGINT NOT NULL,
  -- 1: received from others; its label then bounds who sees it.
  received BIGINT NOT NULL,
  origin TEXT NOT NULL,
  -- Empty: nobody.
  owner TEXT NOT NULL,
  acknowledged TEXT NOT NULL,
  findings BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX incidents_list_recorded ON incidents_list (recorded_at, seq);
CREATE INDEX incidents_list_updated ON incidents_list (updated_at, seq);
CREATE INDEX incidents_list_event ON incidents_list (event_at, seq);
CREATE INDEX incidents_list_severity ON incidents_list (severity, seq);
CREATE INDEX incidents_list_findings ON incidents_list (findings, seq);
CREATE INDEX incidents_list_open ON incidents_list (open, recorded_at, seq);
CREATE INDEX incidents_list_state ON incidents_list (state, recorded_at, seq);
CREATE INDEX incidents_list_owner ON incidents_list (owner, recorded_at, seq);
CREATE INDEX incidents_list_acknowledged ON incidents_list (acknowledged, recorded_at, seq);
CREATE INDEX incidents_list_origin ON incidents_list (origin, recorded_at, seq);
CREATE INDEX incidents_list_tlp ON incidents_list (tlp, recorded_at, seq);

-- Several values of one incident: `tag`, `device` (id), `address`, `mac`, `peer`, `technique`.
CREATE TABLE incidents_list_marks (
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (seq, kind, value)
) WITHOUT ROWID;
CREATE INDEX incidents_list_marks_value ON incidents_list_marks (kind, value, seq);

CREATE VIRTUAL TABLE incidents_list_text USING fts5 (title, device);

-- Not `INSERT OR IGNORE`: a trigger takes the conflict handling of the statement that fired it.
CREATE TRIGGER incidents_list_new AFTER INSERT ON incidents_incidents BEGIN
  INSERT INTO incidents_list (id, state, open, severity, tlp, received, origin, owner, acknowledged, findings,
    event_at, recorded_at, updated_at)
  VALUES (new.id, new.state, new.state NOT IN ('closed', 'false_alarm'),
    CASE new.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
    CASE new.tlp WHEN 'TLP:CLEAR' THEN 0 WHEN 'TLP:GREEN' THEN 1 WHEN 'TLP:AMBER' THEN 2
      WHEN 'TLP:AMBER+STRICT' THEN 3 ELSE 4 END,
    new.received_share IS NOT NULL, new.origin_name, COALESCE(new.owner, ''), COALESCE(new.acknowledged_by, ''),
    (SELECT COUNT(*) FROM incidents_findings WHERE incident = new.id), new.event_at, new.recorded_at, new.updated_at);
  INSERT INTO incidents_list_text (rowid, title, device)
    SELECT seq, new.title, '' FROM incidents_list WHERE id = new.id;
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, 'tag', t.value FROM incidents_list l, json_each(new.tags) t WHERE l.id = new.id;
END;

CREATE TRIGGER incidents_list_changed AFTER UPDATE ON incidents_incidents BEGIN
  UPDATE incidents_list SET state = new.state, open = new.state NOT IN ('closed', 'false_alarm'),
    severity = CASE new.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
    tlp = CASE new.tlp WHEN 'TLP:CLEAR' THEN 0 WHEN 'TLP:GREEN' THEN 1 WHEN 'TLP:AMBER' THEN 2
      WHEN 'TLP:AMBER+STRICT' THEN 3 ELSE 4 END,
    received = new.received_share IS NOT NULL, origin = new.origin_name, owner = COALESCE(new.owner, ''),
    acknowledged = COALESCE(new.acknowledged_by, ''), event_at = new.event_at, updated_at = new.updated_at
  WHERE id = new.id;
END;

CREATE TRIGGER incidents_list_renamed AFTER UPDATE OF title ON incidents_incidents WHEN old.title <> new.title BEGIN
  UPDATE incidents_list_text SET title = new.title WHERE rowid = (SELECT seq FROM incidents_list WHERE id = new.id);
END;

CREATE TRIGGER incidents_list_tagged AFTER UPDATE OF tags ON incidents_incidents WHEN old.tags <> new.tags BEGIN
  DELETE FROM incidents_list_marks WHERE kind = 'tag' AND seq = (SELECT seq FROM incidents_list WHERE id = new.id);
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, 'tag', t.value FROM incidents_list l, json_each(new.tags) t WHERE l.id = new.id;
END;

CREATE TRIGGER incidents_list_gone AFTER DELETE ON incidents_incidents BEGIN
  DELETE FROM incidents_list_marks WHERE seq = (SELECT seq FROM incidents_list WHERE id = old.id);
  DELETE FROM incidents_list_text WHERE rowid = (SELECT seq FROM incidents_list WHERE id = old.id);
  DELETE FROM incidents_list WHERE id = old.id;
END;

-- The marks of every finding, as the bodies say them.
CREATE VIEW incidents_finding_marks AS
  SELECT f.finding, f.incident, 'device' AS kind, f.device AS value FROM incidents_findings f
  UNION ALL SELECT f.finding, f.incident, 'address', f.device_address FROM incidents_findings f
  UNION ALL SELECT f.finding, f.incident, 'mac', f.device_mac FROM incidents_findings f WHERE f.device_mac IS NOT NULL
  UNION ALL SELECT f.finding, f.incident, 'peer', json_extract(e.value, '$.peer')
    FROM incidents_findings f, json_each(f.body, '$.evidence') e
  UNION ALL SELECT f.finding, f.incident, 'technique', json_extract(e.value, '$.id')
    FROM incidents_findings f, json_each(f.body, '$.techniques') e;

CREATE TRIGGER incidents_list_finding AFTER INSERT ON incidents_findings BEGIN
  UPDATE incidents_list SET findings = findings + 1 WHERE id = new.incident;
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM incidents_finding_marks m, incidents_list l
    WHERE m.finding = new.finding AND l.id = new.incident AND NOT EXISTS (SELECT 1 FROM incidents_list_marks x
      WHERE x.seq = l.seq AND x.kind = m.kind AND x.value = m.value);
  UPDATE incidents_list_text SET device = device || ' ' || COALESCE(json_extract(new.body, '$.device_name'), '')
    WHERE rowid = (SELECT seq FROM incidents_list WHERE id = new.incident)
    AND instr(device, COALESCE(json_extract(new.body, '$.device_name'), '')) = 0;
END;

-- What a finding gained; what it lost stays until the incident is made anew.
CREATE TRIGGER incidents_list_finding_grown AFTER UPDATE OF body ON incidents_findings BEGIN
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM incidents_finding_marks m, incidents_list l
    WHERE m.finding = new.finding AND l.id = new.incident AND NOT EXISTS (SELECT 1 FROM incidents_list_marks x
      WHERE x.seq = l.seq AND x.kind = m.kind AND x.value = m.value);
END;

CREATE TRIGGER incidents_list_finding_moved AFTER UPDATE OF incident ON incidents_findings
  WHEN old.incident <> new.incident BEGIN
  UPDATE incidents_list SET findings = (SELECT COUNT(*) FROM incidents_findings f WHERE f.incident = incidents_list.id)
    WHERE id IN (old.incident, new.incident);
  DELETE FROM incidents_list_marks WHERE kind <> 'tag'
    AND seq IN (SELECT seq FROM incidents_list WHERE id IN (old.incident, new.incident));
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM incidents_finding_marks m, incidents_list l
    WHERE m.incident IN (old.incident, new.incident) AND l.id = m.incident;
END;

CREATE TRIGGER incidents_list_finding_gone AFTER DELETE ON incidents_findings BEGIN
  UPDATE incidents_list SET findings = (SELECT COUNT(*) FROM incidents_findings f WHERE f.incident = old.incident)
    WHERE id = old.incident;
  DELETE FROM incidents_list_marks WHERE kind <> 'tag' AND seq = (SELECT seq FROM incidents_list WHERE id = old.incident);
  INSERT INTO incidents_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM incidents_finding_marks m, incidents_list l
    WHERE m.incident = old.incident AND l.id = old.incident;
END;

-- Those that are here already.
INSERT INTO incidents_list (id, state, open, severity, tlp, received, origin, owner, acknowledged, findings,
  event_at, recorded_at, updated_at)
SELECT i.id, i.state, i.state NOT IN ('closed', 'false_alarm'),
  CASE i.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
  CASE i.tlp WHEN 'TLP:CLEAR' THEN 0 WHEN 'TLP:GREEN' THEN 1 WHEN 'TLP:AMBER' THEN 2
    WHEN 'TLP:AMBER+STRICT' THEN 3 ELSE 4 END,
  i.received_share IS NOT NULL, i.origin_name, COALESCE(i.owner, ''), COALESCE(i.acknowledged_by, ''),
  (SELECT COUNT(*) FROM incidents_findings f WHERE f.incident = i.id), i.event_at, i.recorded_at, i.updated_at
FROM incidents_incidents i ORDER BY i.recorded_at, i.id;
INSERT OR IGNORE INTO incidents_list_marks (seq, kind, value)
  SELECT l.seq, m.kind, m.value FROM incidents_list l JOIN incidents_finding_marks m ON m.incident = l.id;
INSERT OR IGNORE INTO incidents_list_marks (seq, kind, value)
  SELECT l.seq, 'tag', t.value FROM incidents_list l JOIN incidents_incidents i ON i.id = l.id, json_each(i.tags) t;
INSERT INTO incidents_list_text (rowid, title, device)
  SELECT l.seq, i.title, COALESCE((SELECT group_concat(DISTINCT json_extract(f.body, '$.device_name'))
    FROM incidents_findings f WHERE f.incident = i.id), '')
  FROM incidents_list l JOIN incidents_incidents i ON i.id = l.id;
