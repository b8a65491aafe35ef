-- +goose Up
-- What a template was made from and how: the parts of the scan, sealed, since names are written where people sign and
-- stamp. It goes and comes with its template. Megabytes: sealing, the first bytes of sealed, says under which version of
-- the safe it stands without it being read.
CREATE TABLE business_evidence (
	application TEXT NOT NULL,
	version     INTEGER NOT NULL,
	digest      TEXT NOT NULL,
	sealing     BYTEA NOT NULL,
	sealed      BYTEA NOT NULL,
	PRIMARY KEY (application, version),
	FOREIGN KEY (application, version) REFERENCES business_template (application, version),
	CHECK (substr(sealed, 1, 5) = sealing)
);
