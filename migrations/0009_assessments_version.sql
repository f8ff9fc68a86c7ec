-- An assessment's explanation may be replaced after it was stored. Null: never
-- written again since.
ALTER TABLE assessments ADD COLUMN IF NOT EXISTS version bigint;
