-- +goose Up
-- A login that waits for the signature of a USB Key. browser is the SM3 of the token in the cookie of who asked: who reads this
-- table cannot end a login. actor is NULL where the name that was typed is nobody's, which nobody learns.
CREATE TABLE login_challenge (
	id          TEXT NOT NULL PRIMARY KEY,
	browser     TEXT NOT NULL UNIQUE,
	actor       TEXT REFERENCES access_actor (id),
	number      TEXT NOT NULL,
	nonce       BYTEA NOT NULL,
	address     TEXT NOT NULL,
	agent       TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('waiting', 'signed', 'used', 'refused', 'expired')),
	created     TEXT NOT NULL,
	expires     TEXT NOT NULL,
	terminal    TEXT NOT NULL DEFAULT '',
	certificate BYTEA NOT NULL,
	signature   BYTEA NOT NULL,
	CHECK (actor IS NOT NULL OR state IN ('waiting', 'expired')),
	CHECK (state NOT IN ('signed', 'used') OR LENGTH(signature) > 0)
);
CREATE INDEX login_challenge_actor ON login_challenge (actor, created);
CREATE INDEX login_challenge_open ON login_challenge (expires) WHERE state IN ('waiting', 'signed');
