-- +goose Up
-- The tables of access must exist already. Columns named "sealed" hold personal data under the safe of the keystore;
-- nowhere else in these tables, nor in the ledger, does any stand.

CREATE TABLE enroll_area (
	code TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL
);

-- The units that are expected to apply. A direct one (the provincial archive, 梅河口市) hands in to the province itself;
-- the city bureau of its area neither gathers nor sees its applications.
CREATE TABLE enroll_unit (
	id          TEXT NOT NULL PRIMARY KEY,
	name        TEXT NOT NULL,
	credit_code TEXT NOT NULL,
	area        TEXT NOT NULL REFERENCES enroll_area (code),
	direct      INTEGER NOT NULL CHECK (direct IN (0, 1)),
	expected    INTEGER NOT NULL CHECK (expected IN (0, 1))
);
CREATE INDEX enroll_unit_area ON enroll_unit (area, name);

-- For which unit an applicant acts, for which area a city bureau.
CREATE TABLE enroll_member (
	actor TEXT NOT NULL PRIMARY KEY REFERENCES access_actor (id),
	unit  TEXT REFERENCES enroll_unit (id),
	area  TEXT REFERENCES enroll_area (code),
	since TEXT NOT NULL,
	by    TEXT NOT NULL REFERENCES access_actor (id),
	CHECK ((unit IS NULL) <> (area IS NULL))
);

CREATE TABLE enroll_agreement (
	version   TEXT NOT NULL PRIMARY KEY,
	text      TEXT NOT NULL,
	digest    TEXT NOT NULL,
	number    INTEGER NOT NULL UNIQUE,
	published TEXT NOT NULL,
	by        TEXT NOT NULL REFERENCES access_actor (id)
);

CREATE TABLE enroll_batch (
	id        TEXT NOT NULL PRIMARY KEY,
	area      TEXT NOT NULL REFERENCES enroll_area (code),
	title     TEXT NOT NULL,
	deadline  TEXT NOT NULL,
	state     TEXT NOT NULL CHECK (state IN ('open', 'handed-in')),
	created   TEXT NOT NULL,
	by        TEXT NOT NULL REFERENCES access_actor (id),
	handed    TEXT,
	handed_by TEXT REFERENCES access_actor (id),
	revision  BIGINT NOT NULL,
	UNIQUE (id, area),
	CHECK ((state = 'handed-in') = (handed IS NOT NULL)),
	CHECK ((handed IS NULL) = (handed_by IS NULL))
);
CREATE INDEX enroll_batch_area ON enroll_batch (area, created);

-- Somebody who is or was to use a seal. The index finds the same person again without the number being readable.
CREATE TABLE enroll_holder (
	id             TEXT NOT NULL PRIMARY KEY,
	unit           TEXT NOT NULL REFERENCES enroll_unit (id),
	name           TEXT NOT NULL,
	identity_index BYTEA NOT NULL,
	sealed         BYTEA NOT NULL,
	created        TEXT NOT NULL,
	UNIQUE (unit, identity_index),
	UNIQUE (id, unit)
);
CREATE INDEX enroll_holder_identity ON enroll_holder (identity_index);

-- One row per edit, never changed but to seal it anew. subject is what is approved, digest its SM3.
CREATE TABLE enroll_version (
	application TEXT NOT NULL,
	version     INTEGER NOT NULL CHECK (version > 0),
	content     BYTEA NOT NULL,
	sealed      BYTEA NOT NULL,
	roster      TEXT,
	subject     BYTEA NOT NULL,
	digest      TEXT NOT NULL,
	created     TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id),
	PRIMARY KEY (application, version),
	UNIQUE (application, version, digest)
);

-- What an examination found in order, and asked a second person to approve: of one version, with its digest, by one
-- officer, in the access request of the same identifier.
CREATE TABLE enroll_examination (
	id          TEXT NOT NULL PRIMARY KEY,
	application TEXT NOT NULL,
	version     INTEGER NOT NULL,
	digest      TEXT NOT NULL,
	kind        TEXT NOT NULL CHECK (kind = 'application.approve'),
	examiner    TEXT NOT NULL,
	examined    TEXT NOT NULL,
	findings    TEXT NOT NULL,
	UNIQUE (id, application, version, digest),
	FOREIGN KEY (application, version, digest) REFERENCES enroll_version (application, version, digest),
	FOREIGN KEY (id, kind, digest, examiner) REFERENCES access_request (id, kind, digest, requester)
);

-- From examined on the original has arrived and is stamped in wet ink, and the examination is of the version that
-- counts. From approved on a used approval stands behind exactly this version, and an approval has two people; so the
-- row itself cannot be edited into another version without leaving these states.
CREATE TABLE enroll_application (
	id              TEXT NOT NULL PRIMARY KEY,
	number          TEXT NOT NULL UNIQUE,
	unit            TEXT NOT NULL REFERENCES enroll_unit (id),
	state           TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'gathered', 'received', 'original-received', 'returned', 'examined',
		'approved', 'issued', 'accepted', 'objected', 'closed', 'withdrawn', 'rejected', 'expired')),
	since           TEXT NOT NULL,
	revision        BIGINT NOT NULL,
	version         INTEGER NOT NULL,
	unit_name       TEXT NOT NULL,
	seal_name       TEXT NOT NULL,
	businesses      TEXT NOT NULL,
	created         TEXT NOT NULL,
	by              TEXT NOT NULL REFERENCES access_actor (id),
	batch           TEXT REFERENCES enroll_batch (id),
	original        TEXT,
	original_number TEXT,
	original_by     TEXT REFERENCES access_actor (id),
	ink_version     INTEGER,
	ink_by          TEXT REFERENCES access_actor (id),
	ink_reading     TEXT,
	examination         TEXT,
	examination_version INTEGER,
	examination_digest  TEXT,
	approval        TEXT,
	approval_kind   TEXT,
	approval_used   INTEGER,
	approved        TEXT,
	issued          TEXT,
	accept_by       TEXT,
	aborted         INTEGER NOT NULL CHECK (aborted IN (0, 1)),
	FOREIGN KEY (id, version) REFERENCES enroll_version (application, version),
	FOREIGN KEY (examination, id, examination_version, examination_digest) REFERENCES enroll_examination (id, application, version, digest),
	FOREIGN KEY (approval, approval_kind, examination_digest, approval_used) REFERENCES access_approval (id, kind, digest, used),
	CHECK ((original IS NULL) = (original_by IS NULL) AND (original IS NULL) = (original_number IS NULL)),
	CHECK ((ink_version IS NULL) = (ink_by IS NULL) AND (ink_version IS NULL) = (ink_reading IS NULL)),
	CHECK ((state IN ('examined', 'approved', 'issued', 'accepted', 'objected', 'closed')) = (examination IS NOT NULL)),
	CHECK ((examination IS NULL) = (examination_version IS NULL) AND (examination IS NULL) = (examination_digest IS NULL)),
	CHECK (examination IS NULL OR (examination_version = version AND original IS NOT NULL AND ink_version IS NOT NULL AND ink_version = version)),
	CHECK ((state IN ('approved', 'issued', 'accepted', 'objected', 'closed')) = (approval IS NOT NULL)),
	CHECK ((approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL AND approved IS NULL)
		OR (approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL AND approved IS NOT NULL
			AND approval = examination AND approval_kind = 'application.approve' AND approval_used = 1)),
	CHECK ((state IN ('issued', 'accepted', 'objected', 'closed')) = (issued IS NOT NULL)),
	CHECK ((issued IS NULL) = (accept_by IS NULL)),
	CHECK (aborted = 0 OR state IN ('objected', 'closed'))
);
CREATE INDEX enroll_application_unit ON enroll_application (unit, created);
CREATE INDEX enroll_application_state ON enroll_application (state, since);
CREATE INDEX enroll_application_batch ON enroll_application (batch);

CREATE TABLE enroll_roster (
	id          TEXT NOT NULL PRIMARY KEY,
	application TEXT NOT NULL REFERENCES enroll_application (id),
	filled_on   TEXT NOT NULL,
	persons     INTEGER NOT NULL,
	digest      TEXT NOT NULL,
	created     TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id)
);

CREATE TABLE enroll_person (
	roster    TEXT NOT NULL REFERENCES enroll_roster (id),
	row       INTEGER NOT NULL,
	holder    TEXT NOT NULL REFERENCES enroll_holder (id),
	status    TEXT NOT NULL CHECK (status IN ('US01', 'US02')),
	content   BYTEA NOT NULL,
	sealed    BYTEA NOT NULL,
	PRIMARY KEY (roster, row)
);
CREATE INDEX enroll_person_holder ON enroll_person (holder);

CREATE TABLE enroll_attachment (
	id          TEXT NOT NULL PRIMARY KEY,
	application TEXT NOT NULL REFERENCES enroll_application (id),
	number      INTEGER NOT NULL,
	kind        TEXT NOT NULL CHECK (kind IN ('form', 'credit-code', 'identity', 'other')),
	media       TEXT NOT NULL,
	size        BIGINT NOT NULL,
	digest      TEXT NOT NULL,
	object      TEXT NOT NULL,
	sealing     BYTEA NOT NULL,
	matched     TEXT NOT NULL CHECK (matched IN ('code', 'hand')),
	added       TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id),
	removed     TEXT,
	removed_by  TEXT REFERENCES access_actor (id),
	UNIQUE (application, number),
	CHECK ((removed IS NULL) = (removed_by IS NULL))
);

-- An officer stands by a finding of one version, with a reason.
CREATE TABLE enroll_confirmation (
	application TEXT NOT NULL,
	version     INTEGER NOT NULL,
	finding     TEXT NOT NULL,
	reason      TEXT NOT NULL CHECK (reason <> ''),
	confirmed   TEXT NOT NULL,
	by          TEXT NOT NULL REFERENCES access_actor (id),
	PRIMARY KEY (application, version, finding),
	FOREIGN KEY (application, version) REFERENCES enroll_version (application, version)
);

-- Why an application went back, field by field.
CREATE TABLE enroll_remark (
	application TEXT NOT NULL REFERENCES enroll_application (id),
	event       INTEGER NOT NULL,
	number      INTEGER NOT NULL,
	field       TEXT NOT NULL,
	reason      TEXT NOT NULL CHECK (reason <> ''),
	PRIMARY KEY (application, event, number)
);

-- What happened to an application, in order: the history that people read. The ledger has the same.
CREATE TABLE enroll_event (
	application TEXT NOT NULL REFERENCES enroll_application (id),
	number      INTEGER NOT NULL,
	happened    TEXT NOT NULL,
	actor       TEXT REFERENCES access_actor (id),
	step        TEXT NOT NULL,
	from_state  TEXT NOT NULL,
	to_state    TEXT NOT NULL,
	version     INTEGER NOT NULL,
	reason      TEXT NOT NULL,
	data        TEXT NOT NULL,
	PRIMARY KEY (application, number)
);

-- A user of a seal who was suspended at once by one person, or by a roster that says US02; two people end it, one way
-- or the other.
CREATE TABLE enroll_suspension (
	id            TEXT NOT NULL PRIMARY KEY,
	holder        TEXT NOT NULL,
	unit          TEXT NOT NULL,
	cause         TEXT NOT NULL CHECK (cause IN ('roster', 'emergency')),
	application   TEXT REFERENCES enroll_application (id),
	reason        TEXT NOT NULL CHECK (reason <> ''),
	opened        TEXT NOT NULL,
	by            TEXT NOT NULL REFERENCES access_actor (id),
	state         TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'lifted')),
	revision      BIGINT NOT NULL,
	request       TEXT REFERENCES access_request (id),
	decided       TEXT,
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	FOREIGN KEY (holder, unit) REFERENCES enroll_holder (id, unit),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	CHECK ((cause = 'roster') = (application IS NOT NULL)),
	CHECK ((state = 'open') = (approval IS NULL) AND (state = 'open') = (decided IS NULL)),
	CHECK ((approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)
		OR (approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL AND request IS NOT NULL AND approval = request AND approval_used = 1
			AND ((state = 'confirmed' AND approval_kind = 'suspension.confirm') OR (state = 'lifted' AND approval_kind = 'suspension.lift')
				OR (state = 'confirmed' AND cause = 'roster' AND approval_kind = 'application.approve'))))
);
CREATE UNIQUE INDEX enroll_suspension_open ON enroll_suspension (holder) WHERE state = 'open';
-- An approved application confirms everybody whom its roster withdraws; any other approval is about one suspension.
CREATE UNIQUE INDEX enroll_suspension_approval ON enroll_suspension (approval) WHERE approval_kind <> 'application.approve';
CREATE INDEX enroll_suspension_unit ON enroll_suspension (unit, opened);
