-- +goose Up
-- Another reason: the renewal at another authority waits for somebody who carries files there, or accepts what came back.
CREATE TABLE renewal_alarm_3 (
	id      TEXT NOT NULL PRIMARY KEY,
	serial  TEXT NOT NULL,
	reason  TEXT NOT NULL CHECK (reason IN ('failed', 'approval-over', 'ceremony', 'elsewhere', 'carry')),
	failure TEXT NOT NULL,
	raised  TEXT NOT NULL,
	UNIQUE (serial, reason)
);
INSERT INTO renewal_alarm_3 (id, serial, reason, failure, raised) SELECT id, serial, reason, failure, raised FROM renewal_alarm;
DROP TABLE renewal_alarm;
ALTER TABLE renewal_alarm_3 RENAME TO renewal_alarm;
