-- STIX objects, collections and looked-up values move into the store of what is known (`intel_…`). Text, relations and
-- values of the objects are taken out in small steps after the start: `intel_unindexed` lists them.
INSERT INTO intel_sources (key, name, kind, tlp, licence, recorded_at)
SELECT 'sender:' || origin, origin, 'peer', 2, '', MIN(recorded_at) FROM cti_objects WHERE true GROUP BY origin
ON CONFLICT (key) DO NOTHING;

INSERT INTO intel_nodes (id) SELECT DISTINCT id FROM cti_objects WHERE true ORDER BY id
ON CONFLICT (id) DO NOTHING;

INSERT INTO intel_objects (node, version, type, name, created, modified, revoked, spec_version, tlp,
  confidence, source, body, recorded_at)
SELECT n.node, o.version, o.type, '', o.created, o.modified, o.revoked,
  CASE WHEN o.spec_version = '2.1' THEN '2.1' ELSE '2.0' END,
  CASE o.tlp WHEN 'TLP:CLEAR' THEN 0 WHEN 'TLP:GREEN' THEN 1 WHEN 'TLP:AMBER' THEN 2
    WHEN 'TLP:AMBER+STRICT' THEN 3 WHEN 'TLP:RED' THEN 4 ELSE 2 END,
  NULL, s.source, o.body, o.recorded_at
FROM cti_objects o JOIN intel_nodes n ON n.id = o.id JOIN intel_sources s ON s.key = 'sender:' || o.origin
WHERE NOT EXISTS (SELECT 1 FROM intel_objects x WHERE x.node = n.node AND x.version = o.version)
ORDER BY o.recorded_at, o.id, o.version;

INSERT INTO intel_said (seq, source, confidence, first_at, last_at)
SELECT x.seq, s.source, NULL, o.recorded_at, o.recorded_at FROM cti_objects o
JOIN intel_nodes n ON n.id = o.id JOIN intel_objects x ON x.node = n.node AND x.version = o.version
JOIN intel_sources s ON s.key = 'sender:' || o.origin WHERE true
ON CONFLICT (seq, source) DO NOTHING;

INSERT INTO intel_unindexed (seq)
SELECT x.seq FROM cti_objects o JOIN intel_nodes n ON n.id = o.id
JOIN intel_objects x ON x.node = n.node AND x.version = o.version WHERE true
ON CONFLICT (seq) DO NOTHING;

UPDATE intel_objects SET superseded_at = (SELECT MIN(CASE WHEN x.recorded_at > intel_objects.recorded_at
    THEN x.recorded_at ELSE intel_objects.recorded_at END)
  FROM intel_objects x WHERE x.node = intel_objects.node AND x.version > intel_objects.version)
WHERE superseded_at IS NULL AND EXISTS (SELECT 1 FROM intel_objects x
  WHERE x.node = intel_objects.node AND x.version > intel_objects.version);

INSERT INTO intel_collections (id, root, alias, title, description, kind, peer, held, last_added, recorded_at)
SELECT c.id, 'sereno', c.alias, c.title, c.description, c.kind, c.peer,
  (SELECT COUNT(*) FROM cti_collection_objects e WHERE e.collection = c.id),
  (SELECT COALESCE(MAX(e.date_added), 0) FROM cti_collection_objects e WHERE e.collection = c.id), c.recorded_at
FROM cti_collections c ORDER BY c.recorded_at, c.id;

INSERT INTO intel_entries (collection, added, node, version, seq, type, spec_version, is_first, is_last)
SELECT c.collection, e.date_added, n.node, e.version, o.seq, o.type, o.spec_version,
  CASE WHEN e.version = (SELECT MIN(x.version) FROM cti_collection_objects x
    WHERE x.collection = e.collection AND x.object = e.object) THEN 1 ELSE 0 END,
  CASE WHEN e.version = (SELECT MAX(x.version) FROM cti_collection_objects x
    WHERE x.collection = e.collection AND x.object = e.object) THEN 1 ELSE 0 END
FROM cti_collection_objects e JOIN intel_collections c ON c.id = e.collection
JOIN intel_nodes n ON n.id = e.object JOIN intel_objects o ON o.node = n.node AND o.version = e.version;

-- Lists loaded as a whole: which text was loaded last. What they name stands in the store under the key `list:NAME`.
CREATE TABLE cti_lists (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  held BIGINT NOT NULL,
  loaded_at BIGINT NOT NULL
);
INSERT INTO cti_lists (name, digest, held, loaded_at) SELECT name, digest, held, loaded_at FROM cti_sources;

INSERT INTO intel_sources (key, name, kind, tlp, licence, recorded_at)
SELECT 'list:' || name, name, 'feed', 0, licence, loaded_at FROM cti_sources WHERE true
ON CONFLICT (key) DO NOTHING;

INSERT INTO intel_terms (value, kind, held)
SELECT DISTINCT value, kind, 0 FROM cti_values WHERE object = ''
ON CONFLICT (value, kind) DO NOTHING;

UPDATE intel_terms SET held = held + (SELECT COUNT(*) FROM cti_values v
  WHERE v.value = intel_terms.value AND v.kind = intel_terms.kind AND v.object = '')
WHERE value IN (SELECT value FROM cti_values WHERE object = '');

INSERT INTO intel_marks (term, node, source, score, since, until, first_at, last_at)
SELECT t.term, 0, s.source, v.score, v.since, v.until, l.loaded_at, l.loaded_at
FROM cti_values v JOIN cti_lists l ON l.name = v.source JOIN intel_sources s ON s.key = 'list:' || v.source
JOIN intel_terms t ON t.value = v.value AND t.kind = v.kind WHERE v.object = ''
ON CONFLICT (term, node, source) DO NOTHING;

DROP TABLE cti_values;
DROP TABLE cti_sources;
DROP TABLE cti_collection_objects;
DROP TABLE cti_collections;
DROP TABLE cti_objects;

-- API roots besides the one of the node itself. `seen_by` is a JSON list of roles and of `peer:NODE`; empty: everybody
-- who may read over TAXII.
CREATE TABLE cti_roots (
  name TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  max_content_length BIGINT NOT NULL,
  seen_by TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);
