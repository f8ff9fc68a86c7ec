-- What a change of state rests on (R12.5): a JSON list of the gates that had
-- fired, with the signals that they read and what those said. Null: written
-- before this column was there.
ALTER TABLE state_transitions ADD COLUMN IF NOT EXISTS evidence text;
