-- +goose Up
-- Two more roles: the handler of a unit that applies, and the city bureau that gathers the applications of its area. The
-- list of roles is a CHECK, so the table is made anew.
CREATE TABLE access_role_new (
	actor         TEXT NOT NULL REFERENCES access_actor (id),
	role          TEXT NOT NULL CHECK (role IN ('registrar', 'approver', 'operator', 'platform', 'auditor', 'administrator', 'applicant', 'city')),
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
INSERT INTO access_role_new (actor, role, granted, founding, approval, approval_kind, approval_used)
	SELECT actor, role, granted, founding, approval, approval_kind, approval_used FROM access_role;
DROP TABLE access_role;
ALTER TABLE access_role_new RENAME TO access_role;

-- Registration points at requests and approvals together with the digest of what they are about, so that an approval of
-- one version of an application cannot stand behind another.
CREATE UNIQUE INDEX access_request_content ON access_request (id, kind, digest, requester);
CREATE UNIQUE INDEX access_approval_content ON access_approval (id, kind, digest, used);
