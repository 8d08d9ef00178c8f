-- What must be seen besides a value before an indicator on it holds (the rest of its pattern).
ALTER TABLE intel_marks ADD COLUMN besides TEXT;
-- Indicators whose pattern asks for several things at once named no value so far: they are looked through again.
INSERT INTO intel_unindexed (seq)
  SELECT seq FROM intel_objects
  WHERE type = 'indicator' AND superseded_at IS NULL AND body LIKE '% AND %'
  ON CONFLICT (seq) DO NOTHING;
