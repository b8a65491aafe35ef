-- +goose Up
-- Searches go by who, what and when, the newest first. An event is in these only once it has its place, so that
-- they cost the sequencer, and not the transaction that appends.
CREATE INDEX ledger_event_kind ON ledger_event (kind, position) WHERE position IS NOT NULL;
CREATE INDEX ledger_event_actor ON ledger_event (actor, kind, position) WHERE position IS NOT NULL;
DROP INDEX ledger_event_subject;
CREATE INDEX ledger_event_subject ON ledger_event (subject, position);

-- Which entries mention something among their particulars. what is made of the value, circle of kind and actor: the
-- first 8 bytes of an SM3 each, which keeps the rows small. Whoever searches compares with the entry.
CREATE TABLE ledger_mention (
	what BIGINT NOT NULL,
	circle BIGINT NOT NULL,
	position BIGINT NOT NULL,
	PRIMARY KEY (what, circle, position)
);

-- The earliest and the latest time among 1024 entries that follow each other: their times need not rise.
CREATE TABLE ledger_span (
	first BIGINT PRIMARY KEY,
	earliest TEXT NOT NULL,
	latest TEXT NOT NULL
);

-- The entries before this position are in the two tables; the sequencer fills in those that were there already.
ALTER TABLE ledger_head ADD COLUMN listed BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE ledger_head DROP COLUMN listed;
DROP TABLE ledger_span;
DROP TABLE ledger_mention;
DROP INDEX ledger_event_subject;
CREATE INDEX ledger_event_subject ON ledger_event (subject);
DROP INDEX ledger_event_actor;
DROP INDEX ledger_event_kind;
