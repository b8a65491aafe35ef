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

-- A restore from a backup forgets what came after the backup. What is known of it comes from revocation lists that were
-- published since: entries whose certificates are not on record any more. So the entries of the next lists need no
-- certificate; the table is made anew without that reference.
CREATE TABLE ca_status_3 (
	serial    TEXT NOT NULL PRIMARY KEY,
	issuer    TEXT NOT NULL REFERENCES ca_authority (name),
	shard     INTEGER NOT NULL,
	state     TEXT NOT NULL CHECK (state IN ('revoked', 'held')),
	reason    INTEGER NOT NULL,
	since     TEXT NOT NULL,
	not_after TEXT NOT NULL
);
INSERT INTO ca_status_3 (serial, issuer, shard, state, reason, since, not_after)
	SELECT serial, issuer, shard, state, reason, since, not_after FROM ca_status;
DROP TABLE ca_status;
ALTER TABLE ca_status_3 RENAME TO ca_status;
CREATE INDEX ca_status_entry ON ca_status (issuer, shard, serial, not_after, reason, since);

-- The restores: serial numbers begin anew with another prefix, and no later list has a number below the floor.
CREATE TABLE ca_restoration (
	id         TEXT NOT NULL PRIMARY KEY,
	happened   TEXT NOT NULL,
	made       TEXT NOT NULL,
	manifest   TEXT NOT NULL,
	actor      TEXT NOT NULL REFERENCES access_actor (id),
	old_prefix BYTEA NOT NULL,
	new_prefix BYTEA NOT NULL,
	crl_floor  BIGINT NOT NULL CHECK (crl_floor > 0),
	CHECK (old_prefix <> new_prefix)
);
