-- +goose Up
-- A reminder that was made for a certificate so many days before its end; the mail is found by id.
CREATE TABLE renewal_reminder (
	id        TEXT NOT NULL PRIMARY KEY,
	serial    TEXT NOT NULL,
	days      INTEGER NOT NULL CHECK (days > 0),
	not_after TEXT NOT NULL,
	made      TEXT NOT NULL,
	UNIQUE (serial, days)
);

-- Attempts at renewals; one without an outcome is being made, or its process died.
CREATE TABLE renewal_attempt (
	serial  TEXT NOT NULL,
	number  INTEGER NOT NULL CHECK (number > 0),
	started TEXT NOT NULL,
	outcome TEXT NOT NULL CHECK (outcome IN ('', 'renewed', 'failed')),
	ended   TEXT NOT NULL,
	next    TEXT NOT NULL, -- not before this time
	failure TEXT NOT NULL,
	PRIMARY KEY (serial, number),
	CHECK ((outcome = '') = (ended = ''))
);

CREATE TABLE renewal_alarm (
	id      TEXT NOT NULL PRIMARY KEY,
	serial  TEXT NOT NULL,
	reason  TEXT NOT NULL CHECK (reason IN ('failed', 'approval-over', 'ceremony')),
	failure TEXT NOT NULL,
	raised  TEXT NOT NULL,
	UNIQUE (serial, reason)
);
