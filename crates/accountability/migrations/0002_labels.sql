-- The label of what an entry repeats of others' word; NULL: our own word. Entries from before are taken for the strictest.
-- Not part of what an entry commits to: it says who may read the entry here, not what happened.
ALTER TABLE accountability_entries ADD COLUMN tlp TEXT;
UPDATE accountability_entries SET tlp = 'TLP:RED' WHERE kind = 'cti.incident_received' OR (kind LIKE 'incidents.%'
  AND subject IN (SELECT subject FROM accountability_entries WHERE kind = 'cti.incident_received'));
