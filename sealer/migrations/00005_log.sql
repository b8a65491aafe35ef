-- +goose Up
-- People look through what they sealed, newest first.
CREATE INDEX sealing_caller_time ON sealing (caller, intended_at, id);
CREATE INDEX sealing_time ON sealing (intended_at, id);
