-- +goose Up
-- What a suspension was about when it began, and which certificates it put on hold: names of seals may change until it is
-- decided, and what is on hold for another reason is not for it to release.
CREATE TABLE business_stop (
	suspension TEXT NOT NULL PRIMARY KEY REFERENCES enroll_suspension (id),
	actor      TEXT NOT NULL REFERENCES access_actor (id),
	seal       TEXT NOT NULL -- code; '' for the whole USB Key
);
CREATE INDEX business_stop_actor ON business_stop (actor);
CREATE TABLE business_stopped (
	suspension TEXT NOT NULL REFERENCES business_stop (suspension),
	serial     TEXT NOT NULL REFERENCES ca_certificate (serial),
	PRIMARY KEY (suspension, serial)
);
CREATE INDEX business_stopped_serial ON business_stopped (serial);

-- The acts of a decision belong to its suspension, no longer to the person.
UPDATE business_act SET application = (SELECT x.id FROM enroll_suspension x WHERE x.holder = business_act.application AND x.state = 'open')
	WHERE version = 0 AND EXISTS (SELECT 1 FROM enroll_suspension x WHERE x.holder = business_act.application AND x.state = 'open');
