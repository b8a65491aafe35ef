-- +goose Up
-- When an approval is used, the database looks for rows that point to it as it was: without these it reads whole tables.
CREATE INDEX ca_certificate_approval ON ca_certificate (approval);
CREATE INDEX ca_status_event_approval ON ca_status_event (approval);
CREATE INDEX ca_anchor_removal ON ca_anchor (removal);
