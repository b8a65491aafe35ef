-- +goose Up
-- Which seal a suspension is about, by its name; '' is all that the person has, the whole USB Key. One of the whole Key may
-- follow one of a seal, so a person may have several.
ALTER TABLE enroll_suspension ADD COLUMN seal_name TEXT NOT NULL DEFAULT '';
DROP INDEX enroll_suspension_open;
CREATE UNIQUE INDEX enroll_suspension_open ON enroll_suspension (holder, seal_name) WHERE state = 'open';
