-- Findings by word, for search over everything: title, device, its addresses, remote parties at the time it was first
-- written. Kept by triggers; what a finding gathers later is not added, so that a window costs no more.
-- Retention: with the finding.
CREATE TABLE detection_found (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE detection_words USING fts5 (text, content = '', contentless_delete = 1, detail = none, prefix = '2 3');
INSERT INTO detection_found (id) SELECT id FROM detection_findings ORDER BY recorded_at;
INSERT INTO detection_words (rowid, text)
  SELECT n.number, coalesce(json_extract(f.body, '$.title'), '') || ' ' || coalesce(json_extract(f.body, '$.device_name'), '')
    || ' ' || coalesce(json_extract(f.body, '$.device_address'), '') || ' ' || coalesce(json_extract(f.body, '$.device_mac'), '')
    || ' ' || coalesce((SELECT group_concat(json_extract(value, '$.peer'), ' ') FROM json_each(f.body, '$.evidence')), '')
  FROM detection_found n JOIN detection_findings f ON f.id = n.id;
CREATE TRIGGER detection_find_new AFTER INSERT ON detection_findings BEGIN
  INSERT INTO detection_found (id) VALUES (NEW.id);
  INSERT INTO detection_words (rowid, text)
    SELECT number, coalesce(json_extract(NEW.body, '$.title'), '') || ' ' || coalesce(json_extract(NEW.body, '$.device_name'), '')
      || ' ' || coalesce(json_extract(NEW.body, '$.device_address'), '') || ' ' || coalesce(json_extract(NEW.body, '$.device_mac'), '')
      || ' ' || coalesce((SELECT group_concat(json_extract(value, '$.peer'), ' ') FROM json_each(NEW.body, '$.evidence')), '')
    FROM detection_found WHERE id = NEW.id;
END;
CREATE TRIGGER detection_find_gone AFTER DELETE ON detection_findings BEGIN
  DELETE FROM detection_words WHERE rowid = (SELECT number FROM detection_found WHERE id = OLD.id);
  DELETE FROM detection_found WHERE id = OLD.id;
END;
