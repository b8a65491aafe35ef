-- +goose Up
-- How a person proves who they are. failures counts wrong passwords since the last right one; locked_until closes the account.
CREATE TABLE login_account (
	actor        TEXT NOT NULL PRIMARY KEY REFERENCES access_actor (id),
	hash         TEXT NOT NULL,
	must_change  INTEGER NOT NULL CHECK (must_change IN (0, 1)),
	changed      TEXT NOT NULL,
	failures     INTEGER NOT NULL,
	locked_until TEXT
);

-- Who is signed in. id is the SM3 of the token in the browser's cookie: who reads this table cannot use a session.
CREATE TABLE login_session (
	id      TEXT NOT NULL PRIMARY KEY,
	actor   TEXT NOT NULL REFERENCES access_actor (id),
	method  TEXT NOT NULL,
	address TEXT NOT NULL,
	agent   TEXT NOT NULL,
	created TEXT NOT NULL,
	seen    TEXT NOT NULL,
	ended   TEXT
);
CREATE INDEX login_session_actor ON login_session (actor, created);
