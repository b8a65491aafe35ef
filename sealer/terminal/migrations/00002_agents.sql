-- +goose Up
-- What the agent said it is when it was last seen; empty: not known. Who ended a pairing, and why; an own one needs no reason.
ALTER TABLE terminal ADD COLUMN agent_version TEXT NOT NULL DEFAULT '' CHECK (LENGTH(agent_version) <= 64);
ALTER TABLE terminal ADD COLUMN agent_platform TEXT NOT NULL DEFAULT '' CHECK (LENGTH(agent_platform) <= 33);
ALTER TABLE terminal ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE terminal ADD COLUMN ended_reason TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE terminal DROP COLUMN ended_reason;
ALTER TABLE terminal DROP COLUMN ended_by;
ALTER TABLE terminal DROP COLUMN agent_platform;
ALTER TABLE terminal DROP COLUMN agent_version;
