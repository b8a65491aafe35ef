-- +goose Up
-- Why somebody asks: in their words, beside what they ask for. reason stays what the decider says.
ALTER TABLE access_request ADD COLUMN why TEXT NOT NULL DEFAULT '';
