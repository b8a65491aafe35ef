-- +goose Up
-- Certificates of persons and for encryption, renewals, and the shard of the revocation list. The tables are made anew,
-- since what they allow is said in their constraints.
CREATE TABLE ca_certificate_2 (
	serial        TEXT NOT NULL PRIMARY KEY,
	issuer        TEXT NOT NULL REFERENCES ca_authority (name),
	profile       TEXT NOT NULL CHECK (profile IN ('root', 'issuing', 'institution', 'personal', 'encryption', 'seal-maker', 'ocsp', 'tsa')),
	state         TEXT NOT NULL CHECK (state IN ('intent', 'issued', 'failed')),
	request       BYTEA NOT NULL,
	organisation  TEXT NOT NULL,
	common_name   TEXT NOT NULL,
	public_key    BYTEA NOT NULL,
	tbs           BYTEA NOT NULL,
	certificate   BYTEA,
	shard         INTEGER NOT NULL CHECK (shard >= 0),
	not_before    TEXT NOT NULL,
	not_after     TEXT NOT NULL,
	created       TEXT NOT NULL,
	completed     TEXT,
	failure       TEXT,
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	approved      TEXT,
	renews        TEXT,
	ceremony      TEXT REFERENCES ca_ceremony (id),
	UNIQUE (serial, state),
	UNIQUE (serial, renews),
	UNIQUE (serial, profile, organisation, common_name, approval),
	CHECK ((state = 'issued') = (certificate IS NOT NULL)),
	CHECK ((state = 'intent') = (completed IS NULL)),
	CHECK ((approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL AND approved IS NOT NULL AND ceremony IS NULL
			AND approval_kind = 'certificate.issue' AND approval_used = 1
			AND profile NOT IN ('root', 'issuing'))
		OR (approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL AND approved IS NULL AND renews IS NULL AND ceremony IS NOT NULL
			AND profile NOT IN ('institution', 'personal', 'encryption'))),
	-- A renewal repeats what its predecessor says, under the same approval, which carries it for five years.
	CHECK (renews IS NULL OR created < CAST(CAST(substr(approved, 1, 4) AS INTEGER) + 5 AS TEXT) || substr(approved, 5)),
	FOREIGN KEY (approval, approval_kind, approval_used, approved) REFERENCES access_approval (id, kind, used, approved),
	FOREIGN KEY (renews, profile, organisation, common_name, approval)
		REFERENCES ca_certificate_2 (serial, profile, organisation, common_name, approval)
);

INSERT INTO ca_certificate_2 (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, shard,
		not_before, not_after, created, completed, failure, approval, approval_kind, approval_used, approved, renews, ceremony)
	SELECT c.serial, c.issuer, c.profile, c.state, c.request, c.organisation, c.common_name, c.public_key, c.tbs, c.certificate, 0,
		c.not_before, c.not_after, c.created, c.completed, c.failure, c.approval, c.approval_kind, c.approval_used, a.approved, NULL, c.ceremony
	FROM ca_certificate c LEFT JOIN access_approval a ON a.id = c.approval;

-- Everything that happened to the validity of certificates, in order. One person may only put a certificate on hold;
-- without any person only a serial number whose certificate was never released is revoked, and one that was renewed.
CREATE TABLE ca_status_event_2 (
	id                TEXT NOT NULL PRIMARY KEY,
	serial            TEXT NOT NULL,
	certificate_state TEXT NOT NULL CHECK (certificate_state IN ('issued', 'failed')),
	position          INTEGER NOT NULL,
	action            TEXT NOT NULL CHECK (action IN ('revoke', 'suspend', 'resume')),
	reason            INTEGER NOT NULL,
	happened          TEXT NOT NULL,
	cause             TEXT NOT NULL CHECK (cause IN ('approval', 'emergency', 'recovery', 'renewal')),
	actor             TEXT REFERENCES access_actor (id),
	approval          TEXT,
	approval_kind     TEXT,
	approval_used     INTEGER,
	successor         TEXT,
	successor_state   TEXT,
	crl               BIGINT NOT NULL,
	UNIQUE (serial, position),
	CHECK ((cause = 'approval' AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'certificate.' || action AND approval_used = 1 AND successor IS NULL)
		OR (cause = 'emergency' AND action = 'suspend' AND actor IS NOT NULL AND approval IS NULL AND successor IS NULL)
		OR (cause = 'recovery' AND action = 'revoke' AND certificate_state = 'failed' AND approval IS NULL AND successor IS NULL)
		OR (cause = 'renewal' AND action = 'revoke' AND reason = 4 AND approval IS NULL
			AND successor IS NOT NULL AND successor_state IS NOT NULL AND successor_state = 'issued')),
	FOREIGN KEY (serial, certificate_state) REFERENCES ca_certificate_2 (serial, state),
	FOREIGN KEY (successor, serial) REFERENCES ca_certificate_2 (serial, renews),
	FOREIGN KEY (successor, successor_state) REFERENCES ca_certificate_2 (serial, state),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);

INSERT INTO ca_status_event_2 (id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, crl)
	SELECT id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, crl
	FROM ca_status_event;

CREATE TABLE ca_status_2 (
	serial    TEXT NOT NULL PRIMARY KEY REFERENCES ca_certificate_2 (serial),
	issuer    TEXT NOT NULL REFERENCES ca_authority (name),
	shard     INTEGER NOT NULL,
	state     TEXT NOT NULL CHECK (state IN ('revoked', 'held')),
	reason    INTEGER NOT NULL,
	since     TEXT NOT NULL,
	not_after TEXT NOT NULL
);

INSERT INTO ca_status_2 (serial, issuer, shard, state, reason, since, not_after)
	SELECT serial, issuer, 0, state, reason, since, not_after FROM ca_status;

DROP TABLE ca_status;
DROP TABLE ca_status_event;
DROP TABLE ca_certificate;
ALTER TABLE ca_certificate_2 RENAME TO ca_certificate;
ALTER TABLE ca_status_event_2 RENAME TO ca_status_event;
ALTER TABLE ca_status_2 RENAME TO ca_status;

CREATE UNIQUE INDEX ca_certificate_one_per_approval ON ca_certificate (approval) WHERE renews IS NULL;
CREATE UNIQUE INDEX ca_certificate_one_renewal ON ca_certificate (renews) WHERE state <> 'failed';
CREATE INDEX ca_certificate_profile ON ca_certificate (profile, state, created);
CREATE INDEX ca_certificate_key ON ca_certificate (public_key);
CREATE INDEX ca_certificate_name ON ca_certificate (common_name);
CREATE INDEX ca_certificate_end ON ca_certificate (not_after) WHERE state = 'issued';
CREATE INDEX ca_certificate_intent ON ca_certificate (created) WHERE state = 'intent';
CREATE INDEX ca_status_event_waiting ON ca_status_event (happened) WHERE crl = 0;
CREATE INDEX ca_status_issuer ON ca_status (issuer, shard, serial);
