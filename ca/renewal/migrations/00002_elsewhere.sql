-- +goose Up
-- Another reason: the certificate of another authority ends.
CREATE TABLE renewal_alarm_2 (
	id      TEXT NOT NULL PRIMARY KEY,
	serial  TEXT NOT NULL,
	reason  TEXT NOT NULL CHECK (reason IN ('failed', 'approval-over', 'ceremony', 'elsewhere')),
	failure TEXT NOT NULL,
	raised  TEXT NOT NULL,
	UNIQUE (serial, reason)
);
INSERT INTO renewal_alarm_2 (id, serial, reason, failure, raised) SELECT id, serial, reason, failure, raised FROM renewal_alarm;
DROP TABLE renewal_alarm;
ALTER TABLE renewal_alarm_2 RENAME TO renewal_alarm;

-- +goose Down
CREATE TABLE renewal_alarm_1 (
	id      TEXT NOT NULL PRIMARY KEY,
	serial  TEXT NOT NULL,
	reason  TEXT NOT NULL CHECK (reason IN ('failed', 'approval-over', 'ceremony')),
	failure TEXT NOT NULL,
	raised  TEXT NOT NULL,
	UNIQUE (serial, reason)
);
INSERT INTO renewal_alarm_1 (id, serial, reason, failure, raised) SELECT id, serial, reason, failure, raised FROM renewal_alarm WHERE reason <> 'elsewhere';
DROP TABLE renewal_alarm;
ALTER TABLE renewal_alarm_1 RENAME TO renewal_alarm;
