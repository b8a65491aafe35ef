-- +goose Up
-- When it was told that the term of a case had passed without an answer; so it is told once.
ALTER TABLE issuance_case ADD COLUMN overdue_at TEXT;
CREATE INDEX issuance_case_waiting ON issuance_case (state, due_at, id);
