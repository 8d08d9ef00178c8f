-- Titles by word, for search over everything. Numbers of their own stand between an incident and its words: those that
-- the database gives rows may change when it is compacted. Kept by triggers, so that whoever writes an incident need not
-- know. Retention: with the incident.
CREATE TABLE incidents_found (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE incidents_words USING fts5 (title, content = '', contentless_delete = 1, prefix = '2 3');
INSERT INTO incidents_found (id) SELECT id FROM incidents_incidents ORDER BY recorded_at;
INSERT INTO incidents_words (rowid, title)
  SELECT f.number, i.title || ' ' || i.origin_name FROM incidents_found f JOIN incidents_incidents i ON i.id = f.id;
CREATE TRIGGER incidents_find_new AFTER INSERT ON incidents_incidents BEGIN
  INSERT INTO incidents_found (id) VALUES (NEW.id);
  INSERT INTO incidents_words (rowid, title)
    SELECT number, NEW.title || ' ' || NEW.origin_name FROM incidents_found WHERE id = NEW.id;
END;
CREATE TRIGGER incidents_find_changed AFTER UPDATE OF title ON incidents_incidents WHEN OLD.title <> NEW.title BEGIN
  INSERT OR REPLACE INTO incidents_words (rowid, title)
    SELECT number, NEW.title || ' ' || NEW.origin_name FROM incidents_found WHERE id = NEW.id;
END;
CREATE TRIGGER incidents_find_gone AFTER DELETE ON incidents_incidents BEGIN
  DELETE FROM incidents_words WHERE rowid = (SELECT number FROM incidents_found WHERE id = OLD.id);
  DELETE FROM incidents_found WHERE id = OLD.id;
END;
