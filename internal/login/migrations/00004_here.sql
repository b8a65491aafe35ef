-- +goose Up
-- here says that the password goes back to one that was set on the machine itself, which those need who decide as one of two:
-- whoever set it from afar, before they became that, could speak for them. Of passwords from before this was kept nobody
-- knows; they count.
ALTER TABLE login_account ADD COLUMN here INTEGER NOT NULL DEFAULT 1 CHECK (here IN (0, 1));
