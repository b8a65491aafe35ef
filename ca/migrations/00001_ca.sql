-- +goose Up
-- The tables of access must exist already.

-- A ceremony is how the infrastructure comes to be, before there is anything that could ask for approvals: two
-- officers, by name.
CREATE TABLE ca_ceremony (
	id             TEXT NOT NULL PRIMARY KEY,
	held           TEXT NOT NULL,
	first_officer  TEXT NOT NULL REFERENCES access_actor (id),
	second_officer TEXT NOT NULL REFERENCES access_actor (id),
	CHECK (first_officer <> second_officer)
);

CREATE TABLE ca_authority (
	name        TEXT NOT NULL PRIMARY KEY CHECK (name IN ('root', 'issuing')),
	certificate BYTEA NOT NULL,
	prefix      BYTEA NOT NULL,
	base_url    TEXT NOT NULL,
	ceremony    TEXT NOT NULL REFERENCES ca_ceremony (id)
);

-- One row per serial number ever used, written before the key signs. A certificate stands on an approval of kind
-- certificate.issue that was used, or on a ceremony; an institution's never on a ceremony.
CREATE TABLE ca_certificate (
	serial        TEXT NOT NULL PRIMARY KEY,
	issuer        TEXT NOT NULL REFERENCES ca_authority (name),
	profile       TEXT NOT NULL CHECK (profile IN ('root', 'issuing', 'institution', 'seal-maker', 'ocsp', 'tsa')),
	state         TEXT NOT NULL CHECK (state IN ('intent', 'issued', 'failed')),
	request       BYTEA NOT NULL,
	organisation  TEXT NOT NULL,
	common_name   TEXT NOT NULL,
	public_key    BYTEA NOT NULL,
	tbs           BYTEA NOT NULL,
	certificate   BYTEA,
	not_before    TEXT NOT NULL,
	not_after     TEXT NOT NULL,
	created       TEXT NOT NULL,
	completed     TEXT,
	failure       TEXT,
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	ceremony      TEXT REFERENCES ca_ceremony (id),
	UNIQUE (serial, state),
	CHECK ((state = 'issued') = (certificate IS NOT NULL)),
	CHECK ((state = 'intent') = (completed IS NULL)),
	CHECK ((approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL AND ceremony IS NULL
			AND approval_kind = 'certificate.issue' AND approval_used = 1
			AND profile NOT IN ('root', 'issuing'))
		OR (approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL AND ceremony IS NOT NULL
			AND profile <> 'institution')),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
CREATE UNIQUE INDEX ca_certificate_one_per_approval ON ca_certificate (approval);
CREATE INDEX ca_certificate_profile ON ca_certificate (profile, state, created);
CREATE INDEX ca_certificate_key ON ca_certificate (public_key);
CREATE INDEX ca_certificate_name ON ca_certificate (common_name);
CREATE INDEX ca_certificate_intent ON ca_certificate (created) WHERE state = 'intent';

-- Everything that happened to the validity of certificates, in order. One person may only put a certificate on hold;
-- without any person only a serial number whose certificate was never released is revoked.
CREATE TABLE ca_status_event (
	id                TEXT NOT NULL PRIMARY KEY,
	serial            TEXT NOT NULL,
	certificate_state TEXT NOT NULL CHECK (certificate_state IN ('issued', 'failed')),
	position          INTEGER NOT NULL,
	action            TEXT NOT NULL CHECK (action IN ('revoke', 'suspend', 'resume')),
	reason            INTEGER NOT NULL,
	happened          TEXT NOT NULL,
	cause             TEXT NOT NULL CHECK (cause IN ('approval', 'emergency', 'recovery')),
	actor             TEXT REFERENCES access_actor (id),
	approval          TEXT,
	approval_kind     TEXT,
	approval_used     INTEGER,
	crl               BIGINT NOT NULL,
	UNIQUE (serial, position),
	CHECK ((cause = 'approval' AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'certificate.' || action AND approval_used = 1)
		OR (cause = 'emergency' AND action = 'suspend' AND actor IS NOT NULL AND approval IS NULL)
		OR (cause = 'recovery' AND action = 'revoke' AND certificate_state = 'failed' AND approval IS NULL)),
	FOREIGN KEY (serial, certificate_state) REFERENCES ca_certificate (serial, state),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
CREATE INDEX ca_status_event_waiting ON ca_status_event (happened) WHERE crl = 0;

-- What is not good now: the entries of the next revocation list.
CREATE TABLE ca_status (
	serial    TEXT NOT NULL PRIMARY KEY REFERENCES ca_certificate (serial),
	issuer    TEXT NOT NULL REFERENCES ca_authority (name),
	state     TEXT NOT NULL CHECK (state IN ('revoked', 'held')),
	reason    INTEGER NOT NULL,
	since     TEXT NOT NULL,
	not_after TEXT NOT NULL
);
CREATE INDEX ca_status_issuer ON ca_status (issuer, serial);

CREATE TABLE ca_crl (
	issuer      TEXT NOT NULL REFERENCES ca_authority (name),
	number      BIGINT NOT NULL,
	this_update TEXT NOT NULL,
	next_update TEXT NOT NULL,
	entries     INTEGER NOT NULL,
	data        BYTEA NOT NULL,
	PRIMARY KEY (issuer, number)
);
