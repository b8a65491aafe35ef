-- +goose Up
-- Another role: an installation that orders certificates from this one. The list of roles is a CHECK, so the table is made
-- anew, with the index that goes with it.
CREATE TABLE access_role_5 (
	actor         TEXT NOT NULL REFERENCES access_actor (id),
	role          TEXT NOT NULL CHECK (role IN ('registrar', 'approver', 'operator', 'platform', 'auditor', 'administrator', 'applicant', 'city', 'requester')),
	granted       TEXT NOT NULL,
	founding      INTEGER NOT NULL CHECK (founding IN (0, 1)),
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	PRIMARY KEY (actor, role),
	CHECK ((founding = 1 AND approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)
		OR (founding = 0 AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'role.grant' AND approval_used = 1)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used)
);
INSERT INTO access_role_5 (actor, role, granted, founding, approval, approval_kind, approval_used)
	SELECT actor, role, granted, founding, approval, approval_kind, approval_used FROM access_role;
DROP TABLE access_role;
ALTER TABLE access_role_5 RENAME TO access_role;
CREATE INDEX access_role_approval ON access_role (approval);
