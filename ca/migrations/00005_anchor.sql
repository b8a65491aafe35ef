-- +goose Up
-- Certificates of other authorities that are trusted here, each for certain purposes and under an approval of two people;
-- its removal likewise. readings is what the readers of certificates said of it, JSON; lenient says that a strict one
-- refused it.
CREATE TABLE ca_anchor (
	id            TEXT NOT NULL PRIMARY KEY,
	name          TEXT NOT NULL,
	purposes      TEXT NOT NULL,
	organisations TEXT NOT NULL,
	certificate   BYTEA NOT NULL,
	fingerprint   TEXT NOT NULL,
	lenient       INTEGER NOT NULL CHECK (lenient IN (0, 1)),
	readings      TEXT NOT NULL,
	imported      TEXT NOT NULL,
	approval      TEXT NOT NULL,
	approval_kind TEXT NOT NULL CHECK (approval_kind = 'anchor.import'),
	approval_used INTEGER NOT NULL CHECK (approval_used = 1),
	removed       TEXT,
	removal       TEXT,
	removal_kind  TEXT,
	removal_used  INTEGER,
	CHECK ((removed IS NULL AND removal IS NULL AND removal_kind IS NULL AND removal_used IS NULL)
		OR (removed IS NOT NULL AND removal IS NOT NULL AND removal_kind IS NOT NULL AND removal_used IS NOT NULL
			AND removal_kind = 'anchor.remove' AND removal_used = 1)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	FOREIGN KEY (removal, removal_kind, removal_used) REFERENCES access_approval (id, kind, used)
);
CREATE UNIQUE INDEX ca_anchor_approval ON ca_anchor (approval);
CREATE UNIQUE INDEX ca_anchor_in_force ON ca_anchor (fingerprint) WHERE removed IS NULL;
