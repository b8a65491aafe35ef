-- +goose Up
-- Somebody who signed in at a provider of identities, and whom that is here. claim is the claim of the provider's answer in
-- which subject stood; here says that the link was made on the machine itself, which those need who decide as one of two.
CREATE TABLE login_link (
	id      TEXT NOT NULL PRIMARY KEY,
	actor   TEXT NOT NULL REFERENCES access_actor (id),
	issuer  TEXT NOT NULL,
	claim   TEXT NOT NULL,
	subject TEXT NOT NULL,
	here    INTEGER NOT NULL CHECK (here IN (0, 1)),
	by_whom TEXT NOT NULL REFERENCES access_actor (id),
	created TEXT NOT NULL,
	ended   TEXT
);
CREATE UNIQUE INDEX login_link_subject ON login_link (issuer, claim, subject) WHERE ended IS NULL;
CREATE INDEX login_link_actor ON login_link (actor, created);

-- The link by which a session was opened; none for a password.
ALTER TABLE login_session ADD COLUMN link TEXT REFERENCES login_link (id);
CREATE INDEX login_session_link ON login_session (link);

-- Who has left for a provider and is expected back. id is the SM3 of the secret in the browser's cookie, from which state,
-- nonce and code verifier are made: who reads this table can finish nobody's login.
CREATE TABLE login_oidc_flow (
	id       TEXT NOT NULL PRIMARY KEY,
	provider TEXT NOT NULL,
	next     TEXT NOT NULL,
	created  TEXT NOT NULL
);
CREATE INDEX login_oidc_flow_created ON login_oidc_flow (created);
