-- +goose Up
-- River keeps its own tables (river_*) with its own migrations. This one is what became of periodic work: who does it now
-- until when at most, and how it last went. Times are empty when there was none.
CREATE TABLE jobs_periodic (
	name          TEXT NOT NULL PRIMARY KEY,
	every_ms      BIGINT NOT NULL,
	holder        TEXT NOT NULL,
	started       TEXT NOT NULL,
	claimed_until TEXT NOT NULL,
	finished      TEXT NOT NULL,
	succeeded     TEXT NOT NULL,
	failures      INTEGER NOT NULL, -- in a row
	failure       TEXT NOT NULL     -- the last one; empty after a success
);
