-- +goose Up
-- The renewal of a certificate of another authority: another order under the approval of the first one of the line, which
-- carries it for five years. It is recorded before its order, which names it.
CREATE UNIQUE INDEX backend_order_line ON backend_order (id, approval);
CREATE TABLE backend_renewal (
	id            TEXT NOT NULL PRIMARY KEY,
	predecessor   TEXT NOT NULL,
	created       TEXT NOT NULL,
	approval      TEXT NOT NULL,
	approval_kind TEXT NOT NULL CHECK (approval_kind = 'certificate.issue'),
	approval_used INTEGER NOT NULL CHECK (approval_used = 1),
	approved      TEXT NOT NULL,
	UNIQUE (id, predecessor),
	-- An approval carries renewals for five years.
	CHECK (created < CAST(CAST(substr(approved, 1, 4) AS INTEGER) + 5 AS TEXT) || substr(approved, 5)),
	FOREIGN KEY (predecessor, approval) REFERENCES backend_order (id, approval),
	FOREIGN KEY (approval, approval_kind, approval_used, approved) REFERENCES access_approval (id, kind, used, approved)
);
CREATE INDEX backend_renewal_approval ON backend_renewal (approval);
CREATE INDEX backend_renewal_predecessor ON backend_renewal (predecessor);

ALTER TABLE backend_order ADD COLUMN renewal TEXT REFERENCES backend_renewal (id);
DROP INDEX backend_order_one_per_approval;
CREATE UNIQUE INDEX backend_order_one_per_approval ON backend_order (approval) WHERE renewal IS NULL;
CREATE UNIQUE INDEX backend_order_one_per_renewal ON backend_order (renewal) WHERE renewal IS NOT NULL;
CREATE INDEX backend_order_approval ON backend_order (approval);

-- A certificate ends by a decision of two people, or because a renewal took its place.
CREATE TABLE backend_revocation_3 (
	id            TEXT NOT NULL PRIMARY KEY,
	order_id      TEXT NOT NULL,
	order_state   TEXT NOT NULL CHECK (order_state = 'issued'),
	reason        INTEGER NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('open', 'sent', 'confirmed')),
	created       TEXT NOT NULL,
	confirmed     TEXT,
	approval      TEXT UNIQUE,
	approval_kind TEXT,
	approval_used INTEGER,
	renewal       TEXT,
	UNIQUE (order_id),
	CHECK ((state = 'confirmed') = (confirmed IS NOT NULL)),
	CHECK ((approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'certificate.revoke' AND approval_used = 1 AND renewal IS NULL)
		OR (approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL AND renewal IS NOT NULL AND reason = 4)),
	FOREIGN KEY (order_id, order_state) REFERENCES backend_order (id, state),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	FOREIGN KEY (renewal, order_id) REFERENCES backend_renewal (id, predecessor)
);
INSERT INTO backend_revocation_3 (id, order_id, order_state, reason, state, created, confirmed, approval, approval_kind, approval_used)
	SELECT id, order_id, order_state, reason, state, created, confirmed, approval, approval_kind, approval_used FROM backend_revocation;
DROP TABLE backend_revocation;
ALTER TABLE backend_revocation_3 RENAME TO backend_revocation;
CREATE INDEX backend_revocation_state ON backend_revocation (state, created);
