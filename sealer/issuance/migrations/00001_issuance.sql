-- +goose Up
-- The tables of access must exist already. Columns named "sealed" hold personal data under the safe of the keystore; nowhere
-- else in these tables, nor in the ledger, does any stand. Documents lie with the sealer, which has its own tables.

-- Two archives and a person who stands in one of them and asks for what the other holds. A case of the platform has the
-- platform's number, any other one of ours.
CREATE TABLE issuance_case (
	id          TEXT NOT NULL PRIMARY KEY,
	number      TEXT NOT NULL,
	opened_by   TEXT NOT NULL REFERENCES access_actor (id),
	opener      TEXT NOT NULL,
	platform    INTEGER NOT NULL CHECK (platform IN (0, 1)),
	key         TEXT NOT NULL,
	key_index   BYTEA NOT NULL,
	receiving   TEXT NOT NULL,
	holding     TEXT NOT NULL,
	sealed      BYTEA NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('requested', 'found', 'composed', 'issued', 'received', 'delivered', 'declined', 'cancelled', 'withdrawn')),
	opened_at   TEXT NOT NULL,
	due_at      TEXT NOT NULL,
	result      TEXT NOT NULL CHECK (result IN ('', 'found', 'not-found', 'not-open')),
	reason      TEXT NOT NULL,
	answered_at TEXT,
	answered_by TEXT REFERENCES access_actor (id),
	fonds       TEXT NOT NULL,
	file        TEXT NOT NULL,
	item        TEXT NOT NULL,
	pages       INTEGER NOT NULL,
	reference   TEXT NOT NULL,
	received_at TEXT,
	received_by TEXT REFERENCES access_actor (id),
	delivered_at TEXT,
	delivered_by TEXT REFERENCES access_actor (id),
	delivery    TEXT NOT NULL CHECK (delivery IN ('', 'printed', 'file')),
	closed_at   TEXT,
	UNIQUE (opener, number),
	UNIQUE (opened_by, key),
	UNIQUE (id, result),
	CHECK (receiving <> holding),
	CHECK ((result = '') = (answered_at IS NULL)),
	CHECK (state NOT IN ('found', 'composed', 'issued', 'received', 'delivered', 'withdrawn') OR result = 'found'),
	CHECK (state <> 'delivered' OR (received_at IS NOT NULL AND delivered_at IS NOT NULL AND delivery <> ''))
);
CREATE INDEX issuance_case_receiving ON issuance_case (receiving, opened_at, id);
CREATE INDEX issuance_case_holding ON issuance_case (holding, opened_at, id);
CREATE INDEX issuance_case_opened ON issuance_case (opened_at, id);

-- The pages that the holding archive put in, in their order: PDF files that were written anew, or made of scans.
CREATE TABLE issuance_part (
	case_id  TEXT NOT NULL REFERENCES issuance_case (id),
	number   INTEGER NOT NULL,
	owner    TEXT NOT NULL,
	document TEXT NOT NULL,
	name     TEXT NOT NULL,
	pages    INTEGER NOT NULL CHECK (pages > 0),
	PRIMARY KEY (case_id, number)
);

-- At most one copy of a case, and only of one that was found. code_hash is SM3 over the verification code, which itself stands
-- on the paper alone. What was sealed and not recorded here was never issued.
CREATE TABLE issuance_copy (
	id           TEXT NOT NULL PRIMARY KEY,
	case_id      TEXT NOT NULL UNIQUE,
	case_result  TEXT NOT NULL CHECK (case_result = 'found'),
	number       TEXT NOT NULL UNIQUE,
	code_hash    BYTEA NOT NULL UNIQUE,
	issuer       TEXT NOT NULL REFERENCES access_actor (id),
	seal         TEXT NOT NULL,
	composed     TEXT NOT NULL,
	composed_sm3 TEXT NOT NULL,
	pages        INTEGER NOT NULL CHECK (pages > 1),
	day          TEXT NOT NULL,
	sealed       BYTEA NOT NULL,
	composed_at  TEXT NOT NULL,
	task         TEXT NOT NULL,
	document     TEXT NOT NULL,
	issued_at    TEXT,
	withdrawn_at TEXT,
	withdrawn_by TEXT REFERENCES access_actor (id),
	withdrawal   TEXT NOT NULL,
	misses       INTEGER NOT NULL,
	missed_on    TEXT NOT NULL,
	FOREIGN KEY (case_id, case_result) REFERENCES issuance_case (id, result),
	CHECK ((issued_at IS NULL) = (document = '')),
	CHECK (withdrawn_at IS NULL OR (issued_at IS NOT NULL AND withdrawn_by IS NOT NULL AND withdrawal <> ''))
);

-- The last number that was given, for each series and year.
CREATE TABLE issuance_number (
	series TEXT NOT NULL,
	year   INTEGER NOT NULL,
	last   INTEGER NOT NULL,
	PRIMARY KEY (series, year)
);
