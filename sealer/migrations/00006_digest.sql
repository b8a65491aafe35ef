-- +goose Up
-- Who uploaded a document finds it again by its content.
CREATE INDEX document_digest ON document (sm3, owner, created_at);
