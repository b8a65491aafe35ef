-- +goose Up
-- The tables of access, ca and enroll must exist already.

-- What an approved application takes, act by act: the same acts, in the same order, as the parts of the plan that two
-- people approved. An act stands on the part with its number.
CREATE TABLE business_act (
	application TEXT NOT NULL,
	version     INTEGER NOT NULL,
	number      INTEGER NOT NULL CHECK (number > 0),
	kind        TEXT NOT NULL,
	phase       TEXT NOT NULL CHECK (phase IN ('issue', 'accept', 'after')),
	content     TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('planned', 'done')),
	done        TEXT,
	result      TEXT NOT NULL,
	-- Of a certificate that another authority makes: its order there, and the key that it is for.
	ordered     TEXT NOT NULL,
	key_name    TEXT NOT NULL,
	PRIMARY KEY (application, version, number),
	CHECK ((state = 'done') = (done IS NOT NULL))
);

-- The picture of a seal that was found in the imprints of a version of an application.
CREATE TABLE business_template (
	application TEXT NOT NULL,
	version     INTEGER NOT NULL,
	code        TEXT NOT NULL,
	width_um    INTEGER NOT NULL CHECK (width_um > 0),
	height_um   INTEGER NOT NULL CHECK (height_um > 0),
	template    BYTEA NOT NULL,
	picture     BYTEA NOT NULL,
	verdict     TEXT NOT NULL CHECK (verdict IN ('pass', 'warn')),
	measures    TEXT NOT NULL,
	reason      TEXT NOT NULL,
	made        TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id),
	PRIMARY KEY (application, version),
	CHECK (verdict = 'pass' OR reason <> '')
);

-- Under which actor a person who is on a roster uses seals.
CREATE TABLE business_user (
	holder TEXT NOT NULL PRIMARY KEY REFERENCES enroll_holder (id),
	actor  TEXT NOT NULL UNIQUE REFERENCES access_actor (id)
);

-- Which certificates are on whose USB Key.
CREATE TABLE business_holding (
	serial  TEXT NOT NULL PRIMARY KEY REFERENCES ca_certificate (serial),
	actor   TEXT NOT NULL REFERENCES access_actor (id),
	profile TEXT NOT NULL CHECK (profile IN ('personal', 'encryption'))
);
CREATE INDEX business_holding_actor ON business_holding (actor);

-- The renewal of a central seal, or of all that is on one USB Key, until it takes the place of what it renews.
CREATE TABLE business_renewal (
	id        TEXT NOT NULL PRIMARY KEY,
	seal      TEXT NOT NULL,
	holder    TEXT NOT NULL,
	made      TEXT NOT NULL,
	accept_by TEXT NOT NULL,
	state     TEXT NOT NULL CHECK (state IN ('waiting', 'in-use', 'objected')),
	settled   TEXT,
	CHECK ((state = 'waiting') = (settled IS NULL))
);
CREATE INDEX business_renewal_waiting ON business_renewal (accept_by) WHERE state = 'waiting';

-- What a renewal consists of: certificates, each with the instances that list it ('' where none does).
CREATE TABLE business_renewed (
	renewal     TEXT NOT NULL REFERENCES business_renewal (id),
	successor   TEXT NOT NULL,
	predecessor TEXT NOT NULL,
	instance    TEXT NOT NULL,
	PRIMARY KEY (successor, instance),
	FOREIGN KEY (successor, predecessor) REFERENCES ca_certificate (serial, renews)
);
CREATE INDEX business_renewed_renewal ON business_renewed (renewal);

-- The SO PIN of a token, sealed: released once by an approved 解锁, together with the one that replaces it.
CREATE TABLE business_token (
	serial   TEXT NOT NULL PRIMARY KEY,
	holder   TEXT NOT NULL REFERENCES access_actor (id),
	sealed   BYTEA NOT NULL,
	next     BYTEA,
	released TEXT,
	created  TEXT NOT NULL,
	by       TEXT NOT NULL REFERENCES access_actor (id),
	CHECK ((next IS NULL) = (released IS NULL))
);
