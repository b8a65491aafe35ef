-- +goose Up
-- What was told of one thing: the proofs that its owner may ask for.
CREATE INDEX ledger_event_subject ON ledger_event (subject);

-- +goose Down
DROP INDEX ledger_event_subject;
