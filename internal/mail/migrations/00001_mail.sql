-- +goose Up
-- What was handed over to the mail server. No address and no text: they are in the rooms that composed the mail.
CREATE TABLE mail_sent (
	source TEXT NOT NULL,
	id     TEXT NOT NULL,
	sent   TEXT NOT NULL,
	PRIMARY KEY (source, id)
);
