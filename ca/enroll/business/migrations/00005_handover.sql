-- +goose Up
-- That a USB Key was handed to its holder: with which signing certificate, on which token, when, and under which number
-- the signed receipt is filed.
CREATE TABLE business_handover (
	serial      TEXT NOT NULL PRIMARY KEY REFERENCES ca_certificate (serial),
	application TEXT NOT NULL REFERENCES enroll_application (id),
	token       TEXT NOT NULL REFERENCES business_token (serial),
	handed      TEXT NOT NULL,
	receipt     TEXT NOT NULL CHECK (receipt <> ''),
	recorded    TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id)
);
CREATE INDEX business_handover_token ON business_handover (token);
CREATE INDEX business_token_holder ON business_token (holder);
