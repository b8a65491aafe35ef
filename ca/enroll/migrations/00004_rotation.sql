-- +goose Up
-- The changes of the secret under which personal data is sealed: a version of the safe each. It is written down before the
-- safe is changed, and its row is what two processes that change the safe wait for.
CREATE TABLE enroll_rotation (
	version  INTEGER NOT NULL PRIMARY KEY CHECK (version >= 2),
	state    TEXT NOT NULL CHECK (state IN ('open', 'ended')),
	begun    TEXT NOT NULL,
	by       TEXT NOT NULL REFERENCES access_actor (id),
	made     TEXT, -- since when the safe has the version
	pieces   INTEGER NOT NULL CHECK (pieces >= 0), -- that were sealed anew
	sealed   TEXT, -- since when nothing is known that is sealed under an older version
	ended    TEXT,
	ended_by TEXT REFERENCES access_actor (id),
	CHECK ((state = 'ended') = (ended IS NOT NULL)),
	CHECK ((ended IS NULL) = (ended_by IS NULL)),
	CHECK (sealed IS NULL OR made IS NOT NULL),
	CHECK (ended IS NULL OR sealed IS NOT NULL)
);
CREATE UNIQUE INDEX enroll_rotation_open ON enroll_rotation (state) WHERE state = 'open';

-- Objects of scans that were sealed anew, until the rotation ends.
CREATE TABLE enroll_outdated (
	object   TEXT NOT NULL PRIMARY KEY,
	replaced TEXT NOT NULL
);
