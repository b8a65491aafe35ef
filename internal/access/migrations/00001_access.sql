-- +goose Up
CREATE TABLE access_actor (
	id           TEXT NOT NULL PRIMARY KEY,
	name         TEXT NOT NULL,
	organisation TEXT NOT NULL,
	created      TEXT NOT NULL,
	retired      TEXT
);

-- What somebody asks two people to stand behind. The unique key over five columns exists for access_approval: an
-- approval can only be recorded for the person, kind and content that the request really has.
CREATE TABLE access_request (
	id        TEXT NOT NULL PRIMARY KEY,
	kind      TEXT NOT NULL,
	subject   BYTEA NOT NULL,
	digest    TEXT NOT NULL,
	requester TEXT NOT NULL REFERENCES access_actor (id),
	state     TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected')),
	created   TEXT NOT NULL,
	expires   TEXT NOT NULL,
	decider   TEXT REFERENCES access_actor (id),
	decided   TEXT,
	reason    TEXT NOT NULL,
	CHECK ((state = 'open') = (decider IS NULL)),
	CHECK (decider IS NULL OR decider <> requester),
	UNIQUE (id, kind, digest, requester, state)
);
CREATE INDEX access_request_state ON access_request (state, created);

-- The second person's consent. used goes from 0 to 1 once; tables of other rooms point here with used = 1 and the kind
-- that they need, so that they cannot hold anything that nobody, or one person alone, approved.
CREATE TABLE access_approval (
	id            TEXT NOT NULL PRIMARY KEY,
	kind          TEXT NOT NULL,
	digest        TEXT NOT NULL,
	requester     TEXT NOT NULL,
	approver      TEXT NOT NULL REFERENCES access_actor (id),
	request_state TEXT NOT NULL CHECK (request_state = 'approved'),
	approved      TEXT NOT NULL,
	expires       TEXT NOT NULL,
	used          INTEGER NOT NULL CHECK (used IN (0, 1)),
	used_at       TEXT,
	CHECK (requester <> approver),
	CHECK ((used = 1) = (used_at IS NOT NULL)),
	UNIQUE (id, kind, used),
	FOREIGN KEY (id, kind, digest, requester, request_state)
		REFERENCES access_request (id, kind, digest, requester, state)
);

-- The first roles of a new installation have nobody who could approve them: they are founding ones. Every later role
-- stands on an approval.
CREATE TABLE access_role (
	actor         TEXT NOT NULL REFERENCES access_actor (id),
	role          TEXT NOT NULL CHECK (role IN ('registrar', 'approver', 'operator', 'platform', 'auditor', 'administrator')),
	granted       TEXT NOT NULL,
	founding      INTEGER NOT NULL CHECK (founding IN (0, 1)),
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	PRIMARY KEY (actor, role),
	CHECK ((founding = 1 AND approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)
		OR (founding = 0 AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'role.grant' AND approval_used = 1)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);

CREATE TABLE access_founding (
	id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	closed TEXT NOT NULL
);

CREATE TABLE access_key (
	id      TEXT NOT NULL PRIMARY KEY,
	actor   TEXT NOT NULL REFERENCES access_actor (id),
	label   TEXT NOT NULL,
	hash    BYTEA NOT NULL,
	created TEXT NOT NULL,
	revoked TEXT
);
CREATE INDEX access_key_actor ON access_key (actor);
