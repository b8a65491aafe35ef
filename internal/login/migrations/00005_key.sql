-- +goose Up
-- A USB Key with which its owner signs in. It is offered at a terminal of theirs, and counts when they have confirmed it, signed in at
-- the pages. public is the SM3 of the public key: nobody else signs in by it. here says that what its owner signed in with then goes
-- back to the machine itself, which those need who decide as one of two (see login_link, login_account).
CREATE TABLE login_key (
	id          TEXT NOT NULL PRIMARY KEY,
	actor       TEXT NOT NULL REFERENCES access_actor (id),
	certificate BYTEA NOT NULL,
	public      TEXT NOT NULL,
	terminal    TEXT NOT NULL,
	offered     TEXT NOT NULL,
	confirmed   TEXT,
	here        INTEGER CHECK (here IN (0, 1)),
	ended       TEXT,
	CHECK ((confirmed IS NULL) = (here IS NULL))
);
CREATE UNIQUE INDEX login_key_public ON login_key (public) WHERE confirmed IS NOT NULL AND ended IS NULL;
CREATE INDEX login_key_actor ON login_key (actor, offered);

-- The USB Key by which a session was opened; none for other ways, and for a Key of which the register of seals says whose it is.
ALTER TABLE login_session ADD COLUMN usb_key TEXT REFERENCES login_key (id);
CREATE INDEX login_session_key ON login_session (usb_key);
