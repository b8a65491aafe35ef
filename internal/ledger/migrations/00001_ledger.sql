-- +goose Up
-- An event is written once, in the transaction of what it tells of. Only position changes, once, from NULL.
CREATE TABLE ledger_event (
	id TEXT PRIMARY KEY,
	time TEXT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	subject TEXT NOT NULL,
	entry TEXT NOT NULL,
	position BIGINT UNIQUE CHECK (position >= 0)
);

CREATE INDEX ledger_event_pending ON ledger_event (id) WHERE position IS NULL;

-- The nodes of the Merkle tree over perfect subtrees; level 0 are the leaf hashes.
CREATE TABLE ledger_node (
	level INTEGER NOT NULL CHECK (level >= 0),
	position BIGINT NOT NULL CHECK (position >= 0),
	hash BYTEA NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (level, position)
);

CREATE TABLE ledger_checkpoint (
	size BIGINT PRIMARY KEY CHECK (size > 0),
	note TEXT NOT NULL
);

-- One row: the size of the tree and who may make it grow until when.
CREATE TABLE ledger_head (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	size BIGINT NOT NULL CHECK (size >= 0),
	holder TEXT NOT NULL,
	expires TEXT NOT NULL
);

INSERT INTO ledger_head (id, size, holder, expires) VALUES (1, 0, '', '');
