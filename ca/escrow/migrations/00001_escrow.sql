-- +goose Up
-- The tables of access and ca must exist already.

-- The public keys under which encryption keys are sealed, one after the other. The first stands on two officers, as a
-- ceremony does; every later one on an approval. pending: its shares are handed out and nobody has shown yet that they
-- open it.
CREATE TABLE escrow_recovery_key (
	generation     INTEGER NOT NULL PRIMARY KEY CHECK (generation >= 1),
	public_key     BYTEA NOT NULL,
	state          TEXT NOT NULL CHECK (state IN ('pending', 'current', 'retired', 'abandoned')),
	created        TEXT NOT NULL,
	first_officer  TEXT REFERENCES access_actor (id),
	second_officer TEXT REFERENCES access_actor (id),
	approval       TEXT,
	approval_kind  TEXT,
	approval_used  INTEGER,
	CHECK ((first_officer IS NOT NULL AND second_officer IS NOT NULL AND first_officer <> second_officer
			AND approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)
		OR (first_officer IS NULL AND second_officer IS NULL AND approval IS NOT NULL AND approval_kind IS NOT NULL
			AND approval_used IS NOT NULL AND approval_kind = 'escrow.change' AND approval_used = 1)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
CREATE UNIQUE INDEX escrow_recovery_key_current ON escrow_recovery_key (state) WHERE state = 'current';
CREATE UNIQUE INDEX escrow_recovery_key_pending ON escrow_recovery_key (state) WHERE state = 'pending';

-- How a recovery key is divided among officers, and the key itself sealed under what the shares give. Only a split that
-- is in force or about to be has the sealed key.
CREATE TABLE escrow_split (
	id         TEXT NOT NULL PRIMARY KEY,
	generation INTEGER NOT NULL REFERENCES escrow_recovery_key (generation),
	share_set  BYTEA NOT NULL,
	nonce      BYTEA,
	sealed     BYTEA,
	state      TEXT NOT NULL CHECK (state IN ('pending', 'current', 'retired', 'abandoned')),
	created    TEXT NOT NULL,
	CHECK ((state IN ('pending', 'current')) = (sealed IS NOT NULL)),
	CHECK ((nonce IS NULL) = (sealed IS NULL))
);
CREATE UNIQUE INDEX escrow_split_current ON escrow_split (state) WHERE state = 'current';
CREATE UNIQUE INDEX escrow_split_pending ON escrow_split (state) WHERE state = 'pending';

CREATE TABLE escrow_share (
	split   TEXT NOT NULL REFERENCES escrow_split (id),
	number  INTEGER NOT NULL CHECK (number >= 1),
	officer TEXT NOT NULL REFERENCES access_actor (id),
	PRIMARY KEY (split, number),
	UNIQUE (split, officer),
	UNIQUE (split, number, officer)
);

-- One encryption key pair, for one certificate. The envelope is for the holder's signing key and goes away when the
-- holder confirmed that the key arrived.
CREATE TABLE escrow_key (
	id                  TEXT NOT NULL PRIMARY KEY,
	holder              TEXT NOT NULL,
	public_key          BYTEA NOT NULL UNIQUE,
	signing_key         BYTEA NOT NULL,
	signing_certificate BYTEA NOT NULL,
	state               TEXT NOT NULL CHECK (state IN ('intent', 'escrowed', 'delivered', 'confirmed', 'voided', 'destroyed')),
	serial              TEXT UNIQUE,
	serial_state        TEXT,
	certificate         BYTEA,
	not_after           TEXT,
	envelope            BYTEA,
	created             TEXT NOT NULL,
	changed             TEXT NOT NULL,
	approval            TEXT UNIQUE,
	approval_kind       TEXT,
	approval_used       INTEGER,
	UNIQUE (id, signing_key),
	UNIQUE (id, state),
	CHECK ((state IN ('intent', 'voided')) = (serial IS NULL)),
	CHECK ((serial IS NULL) = (serial_state IS NULL) AND (serial IS NULL) = (certificate IS NULL) AND (serial IS NULL) = (not_after IS NULL)),
	CHECK (serial_state IS NULL OR serial_state = 'issued'),
	CHECK ((state IN ('escrowed', 'delivered')) = (envelope IS NOT NULL)),
	CHECK ((state = 'destroyed' AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'key.destroy' AND approval_used = 1)
		OR (state <> 'destroyed' AND approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)),
	FOREIGN KEY (serial, serial_state) REFERENCES ca_certificate (serial, state),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
CREATE INDEX escrow_key_created ON escrow_key (created, id);
CREATE INDEX escrow_key_intent ON escrow_key (created) WHERE state = 'intent';

-- A private key under a recovery key.
CREATE TABLE escrow_seal (
	escrow_key TEXT NOT NULL REFERENCES escrow_key (id),
	generation INTEGER NOT NULL REFERENCES escrow_recovery_key (generation),
	wrapped    BYTEA NOT NULL,
	nonce      BYTEA NOT NULL,
	sealed     BYTEA NOT NULL,
	PRIMARY KEY (escrow_key, generation)
);

-- Every time the answer was handed out: the first time once, later only to the same signing key.
CREATE TABLE escrow_delivery (
	escrow_key  TEXT NOT NULL,
	number      INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10),
	signing_key BYTEA NOT NULL,
	actor       TEXT NOT NULL REFERENCES access_actor (id),
	delivered   TEXT NOT NULL,
	PRIMARY KEY (escrow_key, number),
	FOREIGN KEY (escrow_key, signing_key) REFERENCES escrow_key (id, signing_key)
);

-- Whatever takes shares: the recovery of a key, another recovery key, another split. Each stands on an approval of its
-- own that is used once, and every share that was refused counts.
CREATE TABLE escrow_session (
	id            TEXT NOT NULL PRIMARY KEY,
	act           TEXT NOT NULL CHECK (act IN ('recover', 'rotate', 'resplit')),
	split         TEXT NOT NULL REFERENCES escrow_split (id),
	subject       BYTEA NOT NULL,
	escrow_key    TEXT REFERENCES escrow_key (id),
	recipient     BYTEA,
	state         TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed')),
	round         INTEGER NOT NULL CHECK (round BETWEEN 1 AND 3),
	refused       INTEGER NOT NULL CHECK (refused BETWEEN 0 AND 5),
	opened_by     TEXT NOT NULL REFERENCES access_actor (id),
	opened        TEXT NOT NULL,
	expires       TEXT NOT NULL,
	finished      TEXT,
	envelope      BYTEA,
	approval      TEXT NOT NULL UNIQUE,
	approval_kind TEXT NOT NULL,
	approval_used INTEGER NOT NULL CHECK (approval_used = 1),
	UNIQUE (id, split),
	CHECK ((act = 'recover' AND approval_kind = 'key.recover' AND escrow_key IS NOT NULL AND recipient IS NOT NULL)
		OR (act <> 'recover' AND approval_kind = 'escrow.change' AND escrow_key IS NULL AND recipient IS NULL)),
	CHECK ((state = 'open') = (finished IS NULL)),
	CHECK ((state = 'done' AND act = 'recover') = (envelope IS NOT NULL)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);

-- Which officer showed which share in which round. The shares themselves are nowhere.
CREATE TABLE escrow_presentation (
	session   TEXT NOT NULL,
	split     TEXT NOT NULL,
	round     INTEGER NOT NULL,
	number    INTEGER NOT NULL,
	officer   TEXT NOT NULL,
	presented TEXT NOT NULL,
	PRIMARY KEY (session, round, number),
	FOREIGN KEY (session, split) REFERENCES escrow_session (id, split),
	FOREIGN KEY (split, number, officer) REFERENCES escrow_share (split, number, officer)
);
