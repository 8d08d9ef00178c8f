-- The label of what a fact repeats of others' word; NULL: our own word. Facts from before are taken for the strictest.
ALTER TABLE platform_facts ADD COLUMN tlp TEXT;
UPDATE platform_facts SET tlp = 'TLP:RED' WHERE kind = 'cti.incident_received' OR (kind LIKE 'incidents.%'
  AND subject IN (SELECT subject FROM platform_facts WHERE kind = 'cti.incident_received'));
