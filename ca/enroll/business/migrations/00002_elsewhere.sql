-- +goose Up
-- The renewal of a central seal whose certificate another authority makes, from the making of its key until the certificate
-- came back and the seal was remade; from then on it is a renewal like the others, in business_renewal under the same
-- identifier. Serial numbers of others are not ours to look up, so both certificates are kept.
CREATE TABLE business_elsewhere (
	id          TEXT NOT NULL PRIMARY KEY,
	seal        TEXT NOT NULL,
	authority   TEXT NOT NULL,
	instance    TEXT NOT NULL, -- that is repeated
	predecessor BYTEA NOT NULL,
	key_name    TEXT NOT NULL UNIQUE,
	begun       TEXT NOT NULL,
	ordered     TEXT NOT NULL, -- '' until the order is on record
	state       TEXT NOT NULL CHECK (state IN ('ordering', 'made', 'failed')),
	successor   BYTEA,
	made        TEXT NOT NULL, -- the instance that lists it, '' until then
	CHECK ((state = 'made') = (successor IS NOT NULL)),
	CHECK ((state = 'made') = (made <> '')),
	CHECK (state <> 'made' OR ordered <> '')
);
CREATE UNIQUE INDEX business_elsewhere_one ON business_elsewhere (instance) WHERE state <> 'failed';
