-- +goose Up
-- The telephone of a unit that verifiers are told to ask at: shown to everybody, so it is set by a registrar and never taken
-- from an application.
ALTER TABLE enroll_unit ADD COLUMN telephone TEXT NOT NULL DEFAULT '';
CREATE INDEX enroll_unit_name ON enroll_unit (name);
