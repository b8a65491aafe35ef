-- +goose Up
-- The tables of access must exist already.

-- A request that was approved and that an authority outside shall answer. It stands on an approval of kind
-- certificate.issue that was used; a certificate that says something else than was approved stands on a second one, of
-- kind certificate.accept.
CREATE TABLE backend_order (
	id            TEXT NOT NULL PRIMARY KEY,
	backend       TEXT NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('open', 'sent', 'received', 'issued', 'refused', 'expired')),
	profile       TEXT NOT NULL,
	request       BYTEA NOT NULL,
	csr           BYTEA NOT NULL,
	public_key    BYTEA NOT NULL,
	created       TEXT NOT NULL,
	expires       TEXT NOT NULL,
	approval      TEXT NOT NULL,
	approval_kind TEXT NOT NULL CHECK (approval_kind = 'certificate.issue'),
	approval_used INTEGER NOT NULL CHECK (approval_used = 1),
	remote        TEXT,
	answered      TEXT,
	certificate   BYTEA,
	chain         BYTEA,
	fingerprint   TEXT,
	differences   TEXT NOT NULL,
	accept        TEXT,
	accept_kind   TEXT,
	accept_used   INTEGER,
	completed     TEXT,
	refusal       TEXT,
	UNIQUE (id, state),
	UNIQUE (id, backend),
	CHECK ((state IN ('received', 'issued')) = (certificate IS NOT NULL)),
	CHECK ((certificate IS NULL) = (fingerprint IS NULL)),
	CHECK ((state = 'issued') = (completed IS NOT NULL)),
	CHECK ((state = 'refused') = (refusal IS NOT NULL)),
	CHECK ((accept IS NULL AND accept_kind IS NULL AND accept_used IS NULL)
		OR (accept IS NOT NULL AND accept_kind IS NOT NULL AND accept_used IS NOT NULL
			AND accept_kind = 'certificate.accept' AND accept_used = 1)),
	CHECK (state <> 'issued' OR differences = '' OR accept IS NOT NULL),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	FOREIGN KEY (accept, accept_kind, accept_used) REFERENCES access_approval (id, kind, used)
);
CREATE UNIQUE INDEX backend_order_one_per_approval ON backend_order (approval);
CREATE UNIQUE INDEX backend_order_one_per_acceptance ON backend_order (accept) WHERE accept IS NOT NULL;
CREATE UNIQUE INDEX backend_order_certificate ON backend_order (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE UNIQUE INDEX backend_order_key ON backend_order (public_key) WHERE state IN ('open', 'sent', 'received');
CREATE INDEX backend_order_state ON backend_order (backend, state, created);

-- The end of a foreign certificate, which its own authority must bring about.
CREATE TABLE backend_revocation (
	id            TEXT NOT NULL PRIMARY KEY,
	order_id      TEXT NOT NULL,
	order_state   TEXT NOT NULL CHECK (order_state = 'issued'),
	reason        INTEGER NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('open', 'sent', 'confirmed')),
	created       TEXT NOT NULL,
	confirmed     TEXT,
	approval      TEXT NOT NULL UNIQUE,
	approval_kind TEXT NOT NULL CHECK (approval_kind = 'certificate.revoke'),
	approval_used INTEGER NOT NULL CHECK (approval_used = 1),
	UNIQUE (order_id),
	CHECK ((state = 'confirmed') = (confirmed IS NOT NULL)),
	FOREIGN KEY (order_id, order_state) REFERENCES backend_order (id, state),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
CREATE INDEX backend_revocation_state ON backend_revocation (state, created);

-- What was sent to which authority: the holder agreed to that, and may ask. Written before anything leaves.
CREATE TABLE backend_sending (
	id       TEXT NOT NULL PRIMARY KEY,
	order_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	backend  TEXT NOT NULL,
	what     TEXT NOT NULL CHECK (what IN ('request', 'revocation')),
	channel  TEXT NOT NULL CHECK (channel IN ('file', 'http')),
	happened TEXT NOT NULL,
	actor    TEXT REFERENCES access_actor (id),
	fields   TEXT NOT NULL,
	digest   TEXT NOT NULL,
	UNIQUE (order_id, position),
	CHECK (channel = 'http' OR actor IS NOT NULL),
	FOREIGN KEY (order_id, backend) REFERENCES backend_order (id, backend)
);

-- What others ordered here over HTTP. Two people of this house decide on each: request is what was put before them.
CREATE TABLE backend_desk (
	id         TEXT NOT NULL PRIMARY KEY,
	actor      TEXT NOT NULL REFERENCES access_actor (id),
	caller_key TEXT NOT NULL,
	digest     TEXT NOT NULL,
	csr        BYTEA NOT NULL,
	subject    BYTEA NOT NULL,
	request    TEXT NOT NULL UNIQUE REFERENCES access_request (id),
	created    TEXT NOT NULL,
	revoke     TEXT REFERENCES access_request (id),
	reason     INTEGER,
	UNIQUE (actor, caller_key),
	CHECK ((revoke IS NULL) = (reason IS NULL))
);
