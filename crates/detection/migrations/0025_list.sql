-- What lists of findings ask: one narrow row per finding, its marks and its texts, kept by triggers whoever writes.
-- Retention: with the finding.
CREATE TABLE detection_list (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  device TEXT NOT NULL,
  address TEXT NOT NULL,
  mac TEXT NOT NULL,
  kind TEXT NOT NULL,
  detector TEXT NOT NULL,
  -- 0 low to 3 critical.
  severity BIGINT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  windows BIGINT NOT NULL,
  -- What people last said: empty, `normal` or `attack`.
  verdict TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX detection_list_recorded ON detection_list (recorded_at, seq);
CREATE INDEX detection_list_last ON detection_list (last_at, seq);
CREATE INDEX detection_list_first ON detection_list (first_at, seq);
CREATE INDEX detection_list_score ON detection_list (score, seq);
CREATE INDEX detection_list_windows ON detection_list (windows, seq);
CREATE INDEX detection_list_severity ON detection_list (severity, seq);
CREATE INDEX detection_list_device ON detection_list (device, recorded_at, seq);
CREATE INDEX detection_list_address ON detection_list (address, recorded_at, seq);
CREATE INDEX detection_list_mac ON detection_list (mac, recorded_at, seq);
CREATE INDEX detection_list_kind ON detection_list (kind, recorded_at, seq);
CREATE INDEX detection_list_detector ON detection_list (detector, recorded_at, seq);
CREATE INDEX detection_list_verdict ON detection_list (verdict, recorded_at, seq);

-- Several values of one finding: `peer`, `port`, `technique`.
CREATE TABLE detection_list_marks (
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (seq, kind, value)
) WITHOUT ROWID;
CREATE INDEX detection_list_marks_value ON detection_list_marks (kind, value, seq);

CREATE VIRTUAL TABLE detection_list_text USING fts5 (title, device);

CREATE VIEW detection_finding_marks AS
  SELECT f.id, 'peer' AS kind, json_extract(e.value, '$.peer') AS value
    FROM detection_findings f, json_each(f.body, '$.evidence') e
  UNION ALL SELECT f.id, 'port', CAST(json_extract(e.value, '$.port') AS TEXT)
    FROM detection_findings f, json_each(f.body, '$.evidence') e WHERE json_extract(e.value, '$.port') IS NOT NULL
  UNION ALL SELECT f.id, 'technique', json_extract(e.value, '$.id')
    FROM detection_findings f, json_each(f.body, '$.techniques') e;

-- Not `INSERT OR IGNORE`: a trigger takes the conflict handling of the statement that fired it.
CREATE TRIGGER detection_list_new AFTER INSERT ON detection_findings BEGIN
  INSERT INTO detection_list (id, device, address, mac, kind, detector, severity, score, windows, verdict, first_at,
    last_at, recorded_at)
  VALUES (new.id, new.device, COALESCE(json_extract(new.body, '$.device_address'), ''),
    COALESCE(json_extract(new.body, '$.device_mac'), ''), COALESCE(json_extract(new.body, '$.kind'), 'anomaly'),
    COALESCE(json_extract(new.body, '$.detector'), ''),
    CASE new.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
    COALESCE(json_extract(new.body, '$.score'), 0.0), COALESCE(json_extract(new.body, '$.windows'), 0), '',
    new.first_at, new.last_at, new.recorded_at);
  INSERT INTO detection_list_text (rowid, title, device)
    SELECT l.seq, json_extract(new.body, '$.title'), json_extract(new.body, '$.device_name')
    FROM detection_list l WHERE l.id = new.id;
  INSERT INTO detection_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM detection_finding_marks m, detection_list l
    WHERE m.id = new.id AND l.id = new.id AND NOT EXISTS (SELECT 1 FROM detection_list_marks x
      WHERE x.seq = l.seq AND x.kind = m.kind AND x.value = m.value);
END;

CREATE TRIGGER detection_list_changed AFTER UPDATE ON detection_findings BEGIN
  UPDATE detection_list SET
    severity = CASE new.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
    kind = COALESCE(json_extract(new.body, '$.kind'), 'anomaly'),
    score = COALESCE(json_extract(new.body, '$.score'), 0.0),
    windows = COALESCE(json_extract(new.body, '$.windows'), 0), last_at = new.last_at
  WHERE id = new.id;
  INSERT INTO detection_list_marks (seq, kind, value)
    SELECT DISTINCT l.seq, m.kind, m.value FROM detection_finding_marks m, detection_list l
    WHERE m.id = new.id AND l.id = new.id AND NOT EXISTS (SELECT 1 FROM detection_list_marks x
      WHERE x.seq = l.seq AND x.kind = m.kind AND x.value = m.value);
END;

CREATE TRIGGER detection_list_renamed AFTER UPDATE OF body ON detection_findings
  WHEN json_extract(old.body, '$.title') <> json_extract(new.body, '$.title') BEGIN
  UPDATE detection_list_text SET title = json_extract(new.body, '$.title')
    WHERE rowid = (SELECT seq FROM detection_list WHERE id = new.id);
END;

CREATE TRIGGER detection_list_gone AFTER DELETE ON detection_findings BEGIN
  DELETE FROM detection_list_marks WHERE seq = (SELECT seq FROM detection_list WHERE id = old.id);
  DELETE FROM detection_list_text WHERE rowid = (SELECT seq FROM detection_list WHERE id = old.id);
  DELETE FROM detection_list WHERE id = old.id;
END;

CREATE TRIGGER detection_list_judged AFTER INSERT ON detection_feedback BEGIN
  UPDATE detection_list SET verdict = new.verdict WHERE id = new.finding;
END;

-- Those that are here already.
INSERT INTO detection_list (id, device, address, mac, kind, detector, severity, score, windows, verdict, first_at,
  last_at, recorded_at)
SELECT f.id, f.device, COALESCE(json_extract(f.body, '$.device_address'), ''),
  COALESCE(json_extract(f.body, '$.device_mac'), ''), COALESCE(json_extract(f.body, '$.kind'), 'anomaly'),
  COALESCE(json_extract(f.body, '$.detector'), ''),
  CASE f.severity WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END,
  COALESCE(json_extract(f.body, '$.score'), 0.0), COALESCE(json_extract(f.body, '$.windows'), 0),
  COALESCE((SELECT b.verdict FROM detection_feedback b WHERE b.finding = f.id ORDER BY b.rowid DESC LIMIT 1), ''),
  f.first_at, f.last_at, f.recorded_at
FROM detection_findings f ORDER BY f.recorded_at, f.id;
INSERT OR IGNORE INTO detection_list_marks (seq, kind, value)
  SELECT l.seq, m.kind, m.value FROM detection_list l JOIN detection_finding_marks m ON m.id = l.id;
INSERT INTO detection_list_text (rowid, title, device)
  SELECT l.seq, json_extract(f.body, '$.title'), json_extract(f.body, '$.device_name')
  FROM detection_list l JOIN detection_findings f ON f.id = l.id;
