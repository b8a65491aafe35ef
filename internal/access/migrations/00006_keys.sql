-- +goose Up
-- A key may be narrowed: to parts of the API and to some of its owner's seals (blank-separated, empty for all), and in time.
ALTER TABLE access_key ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN seals TEXT NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN expires TEXT;
ALTER TABLE access_key ADD COLUMN used TEXT;
-- SM3 of the client certificate, in hex, with which alone the key counts (mTLS); empty: with any, and without.
ALTER TABLE access_key ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
