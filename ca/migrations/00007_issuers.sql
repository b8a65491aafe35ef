-- +goose Up
-- Several issuing CAs under one root, in the order of the ceremony's plan; the root comes first. The tables that point to
-- an authority are made anew, but not that of the certificates, since other rooms point to it: there a column takes the
-- place of another.
CREATE TABLE ca_authority_7 (
	name        TEXT NOT NULL PRIMARY KEY CHECK (name <> '' AND name = lower(name)),
	position    INTEGER NOT NULL UNIQUE CHECK (position >= 0),
	certificate BYTEA NOT NULL,
	prefix      BYTEA NOT NULL,
	base_url    TEXT NOT NULL,
	ceremony    TEXT NOT NULL REFERENCES ca_ceremony (id),
	CHECK ((name = 'root') = (position = 0))
);
INSERT INTO ca_authority_7 (name, position, certificate, prefix, base_url, ceremony)
	SELECT name, CASE WHEN name = 'root' THEN 0 ELSE 1 END, certificate, prefix, base_url, ceremony FROM ca_authority;

-- Which issuing CA issues what: each profile one. The certificate of an OCSP responder comes from the CA for which it answers.
CREATE TABLE ca_profile (
	profile TEXT NOT NULL PRIMARY KEY CHECK (profile IN ('institution', 'personal', 'encryption', 'seal-maker', 'tsa')),
	issuer  TEXT NOT NULL REFERENCES ca_authority_7 (name) CHECK (issuer <> 'root')
);
INSERT INTO ca_profile (profile, issuer)
	SELECT p.profile, a.name FROM ca_authority_7 a
	CROSS JOIN (SELECT 'institution' AS profile UNION ALL SELECT 'personal' UNION ALL SELECT 'encryption' UNION ALL SELECT 'seal-maker' UNION ALL SELECT 'tsa') p
	WHERE a.position = 1;

-- SQLite adds a column that points to another table only as one that may be empty; every row has it.
ALTER TABLE ca_certificate ADD COLUMN issuer_7 TEXT REFERENCES ca_authority_7 (name);
UPDATE ca_certificate SET issuer_7 = issuer;
DROP INDEX ca_certificate_shard;
ALTER TABLE ca_certificate DROP COLUMN issuer;
ALTER TABLE ca_certificate RENAME COLUMN issuer_7 TO issuer;
CREATE INDEX ca_certificate_shard ON ca_certificate (issuer, shard);

CREATE TABLE ca_status_7 (
	serial    TEXT NOT NULL PRIMARY KEY,
	issuer    TEXT NOT NULL REFERENCES ca_authority_7 (name),
	shard     INTEGER NOT NULL,
	state     TEXT NOT NULL CHECK (state IN ('revoked', 'held')),
	reason    INTEGER NOT NULL,
	since     TEXT NOT NULL,
	not_after TEXT NOT NULL
);
INSERT INTO ca_status_7 (serial, issuer, shard, state, reason, since, not_after)
	SELECT serial, issuer, shard, state, reason, since, not_after FROM ca_status;
DROP TABLE ca_status;
ALTER TABLE ca_status_7 RENAME TO ca_status;
CREATE INDEX ca_status_entry ON ca_status (issuer, shard, serial, not_after, reason, since);

CREATE TABLE ca_crl_7 (
	issuer        TEXT NOT NULL REFERENCES ca_authority_7 (name),
	shard         INTEGER NOT NULL CHECK (shard >= 0),
	number        BIGINT NOT NULL,
	this_update   TEXT NOT NULL,
	next_update   TEXT NOT NULL,
	entries       INTEGER NOT NULL,
	scope         TEXT NOT NULL,
	base          INTEGER NOT NULL CHECK (base IN (0, 1)),
	delta_base    BIGINT,
	delta_entries INTEGER,
	delta_next    TEXT,
	data          BYTEA NOT NULL,
	delta         BYTEA,
	PRIMARY KEY (issuer, shard, number),
	CHECK ((delta IS NULL) = (delta_base IS NULL) AND (delta IS NULL) = (delta_entries IS NULL) AND (delta IS NULL) = (delta_next IS NULL)),
	CHECK (delta_base IS NULL OR delta_base <= number)
);
INSERT INTO ca_crl_7 (issuer, shard, number, this_update, next_update, entries, scope, base, delta_base, delta_entries, delta_next, data, delta)
	SELECT issuer, shard, number, this_update, next_update, entries, scope, base, delta_base, delta_entries, delta_next, data, delta FROM ca_crl;
DROP TABLE ca_crl;
ALTER TABLE ca_crl_7 RENAME TO ca_crl;

DROP TABLE ca_authority;
ALTER TABLE ca_authority_7 RENAME TO ca_authority;
