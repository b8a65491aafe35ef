-- +goose Up
-- Revocation lists in shards, each with a delta list. The complete list is shard 0; those of before are complete.
CREATE TABLE ca_crl_2 (
	issuer        TEXT NOT NULL REFERENCES ca_authority (name),
	shard         INTEGER NOT NULL CHECK (shard >= 0),
	number        BIGINT NOT NULL,
	this_update   TEXT NOT NULL,
	next_update   TEXT NOT NULL,
	entries       INTEGER NOT NULL,
	-- The addresses for which the list speaks; empty: for all certificates of the issuer.
	scope         TEXT NOT NULL,
	-- Whether later delta lists are relative to this one.
	base          INTEGER NOT NULL CHECK (base IN (0, 1)),
	delta_base    BIGINT,
	delta_entries INTEGER,
	delta_next    TEXT,
	data          BYTEA NOT NULL,
	delta         BYTEA,
	PRIMARY KEY (issuer, shard, number),
	CHECK ((delta IS NULL) = (delta_base IS NULL) AND (delta IS NULL) = (delta_entries IS NULL) AND (delta IS NULL) = (delta_next IS NULL)),
	CHECK (delta_base IS NULL OR delta_base <= number)
);
INSERT INTO ca_crl_2 (issuer, shard, number, this_update, next_update, entries, scope, base, data)
	SELECT issuer, 0, number, this_update, next_update, entries, '', 1, data FROM ca_crl;
DROP TABLE ca_crl;
ALTER TABLE ca_crl_2 RENAME TO ca_crl;

-- The number of the list of its shard that carries a change; crl is that of the complete list.
ALTER TABLE ca_status_event ADD COLUMN shard_crl BIGINT NOT NULL DEFAULT 0;
UPDATE ca_status_event SET shard_crl = crl;
CREATE INDEX ca_status_event_waiting_shard ON ca_status_event (happened) WHERE shard_crl = 0;
CREATE INDEX ca_status_event_crl ON ca_status_event (crl);
-- A list is read from this index alone.
DROP INDEX ca_status_issuer;
CREATE INDEX ca_status_entry ON ca_status (issuer, shard, serial, not_after, reason, since);
CREATE INDEX ca_certificate_shard ON ca_certificate (issuer, shard);

-- Every address under which certificates were issued: their distribution points begin with it.
CREATE TABLE ca_base_url (
	url   TEXT NOT NULL PRIMARY KEY,
	since TEXT NOT NULL
);

-- No time stamp is earlier than this one, whichever process makes it and however often it is started.
CREATE TABLE ca_stamp_clock (
	name TEXT NOT NULL PRIMARY KEY CHECK (name = 'tsa'),
	at   TEXT NOT NULL
);
