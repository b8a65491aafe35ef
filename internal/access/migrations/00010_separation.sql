-- +goose Up
-- Nobody holds roles of two of the three sides: management, use, audit. An actor with roles has one side, and the foreign
-- key lets in no role of another. What an older version let somebody hold together stays, marked as mixed and without a
-- side, until an administrator withdraws what is too much; new roles cannot be marked so by mistake, since every role
-- is written with its side.
CREATE TABLE access_side (
	actor TEXT NOT NULL PRIMARY KEY REFERENCES access_actor (id),
	side  TEXT NOT NULL CHECK (side IN ('management', 'use', 'audit')),
	UNIQUE (actor, side)
);
INSERT INTO access_side (actor, side)
	SELECT actor, MIN(CASE role WHEN 'administrator' THEN 'management' WHEN 'auditor' THEN 'audit' ELSE 'use' END) FROM access_role GROUP BY actor
	HAVING COUNT(DISTINCT CASE role WHEN 'administrator' THEN 'management' WHEN 'auditor' THEN 'audit' ELSE 'use' END) = 1;

CREATE TABLE access_role_10 (
	actor         TEXT NOT NULL REFERENCES access_actor (id),
	role          TEXT NOT NULL CHECK (role IN ('registrar', 'approver', 'operator', 'platform', 'auditor', 'administrator', 'applicant', 'city', 'requester')),
	granted       TEXT NOT NULL,
	founding      INTEGER NOT NULL CHECK (founding IN (0, 1)),
	approval      TEXT,
	approval_kind TEXT,
	approval_used INTEGER,
	side          TEXT,
	mixed         INTEGER NOT NULL DEFAULT 0 CHECK (mixed IN (0, 1)),
	PRIMARY KEY (actor, role),
	CHECK ((founding = 1 AND approval IS NULL AND approval_kind IS NULL AND approval_used IS NULL)
		OR (founding = 0 AND approval IS NOT NULL AND approval_kind IS NOT NULL AND approval_used IS NOT NULL
			AND approval_kind = 'role.grant' AND approval_used = 1)),
	CHECK ((side IS NULL AND mixed = 1) OR (mixed = 0 AND side IS NOT NULL
		AND side = CASE role WHEN 'administrator' THEN 'management' WHEN 'auditor' THEN 'audit' ELSE 'use' END)),
	FOREIGN KEY (approval, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
	FOREIGN KEY (actor, side) REFERENCES access_side (actor, side)
);
INSERT INTO access_role_10 (actor, role, granted, founding, approval, approval_kind, approval_used, side, mixed)
	SELECT r.actor, r.role, r.granted, r.founding, r.approval, r.approval_kind, r.approval_used, s.side, CASE WHEN s.side IS NULL THEN 1 ELSE 0 END
	FROM access_role r LEFT JOIN access_side s ON s.actor = r.actor;
DROP TABLE access_role;
ALTER TABLE access_role_10 RENAME TO access_role;
CREATE INDEX access_role_approval ON access_role (approval);
