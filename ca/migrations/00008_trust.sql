-- +goose Up
-- One person may end the trust in an anchor, who says why: it only narrows what is believed. Those that two people ended
-- before keep their approvals.
CREATE TABLE ca_anchor_2 (
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
	removed_by    TEXT NOT NULL DEFAULT '',
	removal_why   TEXT NOT NULL DEFAULT '',
	removal       TEXT,
	removal_kind  TEXT,
	removal_used  INTEGER,
	CHECK ((removal IS NULL) = (removal_kind IS NULL) AND (removal IS NULL) = (removal_used IS NULL)),
	CHECK ((removed IS NULL) = (removal IS NULL AND removed_by = '') AND (removed_by = '') = (removal_why = '')),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	FOREIGN KEY (removal, removal_kind, removal_used) REFERENCES access_approval (id, kind, used)
);
INSERT INTO ca_anchor_2 (id, name, purposes, organisations, certificate, fingerprint, lenient, readings, imported, approval, approval_kind, approval_used,
		removed, removal, removal_kind, removal_used)
	SELECT id, name, purposes, organisations, certificate, fingerprint, lenient, readings, imported, approval, approval_kind, approval_used,
		removed, removal, removal_kind, removal_used FROM ca_anchor;
DROP TABLE ca_anchor;
ALTER TABLE ca_anchor_2 RENAME TO ca_anchor;
CREATE UNIQUE INDEX ca_anchor_approval ON ca_anchor (approval);
CREATE UNIQUE INDEX ca_anchor_in_force ON ca_anchor (fingerprint) WHERE removed IS NULL;
CREATE INDEX ca_anchor_removal ON ca_anchor (removal);

-- Revocation lists of other authorities, the newest of each issuer, key and scope. anchor is the imported one that vouches
-- for whoever signed the list.
CREATE TABLE ca_foreign_crl (
	id          TEXT NOT NULL PRIMARY KEY,
	anchor      TEXT NOT NULL REFERENCES ca_anchor (id),
	issuer      TEXT NOT NULL,
	number      TEXT NOT NULL,
	this_update TEXT NOT NULL,
	next_update TEXT NOT NULL,
	entries     INTEGER NOT NULL,
	sm3         TEXT NOT NULL UNIQUE,
	data        BYTEA NOT NULL,
	imported    TEXT NOT NULL,
	actor       TEXT NOT NULL REFERENCES access_actor (id)
);
CREATE INDEX ca_foreign_crl_issuer ON ca_foreign_crl (issuer);
CREATE INDEX ca_foreign_crl_anchor ON ca_foreign_crl (anchor);
