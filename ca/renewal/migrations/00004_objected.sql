-- +goose Up
-- Another reason: the certificate that another authority made for a renewal was objected to, and is still good.
CREATE TABLE renewal_alarm_4 (
	id      TEXT NOT NULL PRIMARY KEY,
	serial  TEXT NOT NULL,
	reason  TEXT NOT NULL CHECK (reason IN ('failed', 'approval-over', 'ceremony', 'elsewhere', 'carry', 'objected')),
	failure TEXT NOT NULL,
	raised  TEXT NOT NULL,
	UNIQUE (serial, reason)
);
INSERT INTO renewal_alarm_4 (id, serial, reason, failure, raised) SELECT id, serial, reason, failure, raised FROM renewal_alarm;
DROP TABLE renewal_alarm;
ALTER TABLE renewal_alarm_4 RENAME TO renewal_alarm;
