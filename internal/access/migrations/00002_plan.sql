-- +goose Up
-- A plan is a request whose parts are requests of their own, decided together with it and redeemed one by one. What was
-- asked for can be made void before it is used, when the facts behind it change.
ALTER TABLE access_request ADD COLUMN parent TEXT REFERENCES access_request (id);
ALTER TABLE access_request ADD COLUMN part INTEGER CHECK ((part IS NULL) = (parent IS NULL));
ALTER TABLE access_request ADD COLUMN voided TEXT;
CREATE UNIQUE INDEX access_request_part ON access_request (parent, part);

-- Other rooms point here with the moment of the approval, when how old it is decides what it still carries.
CREATE UNIQUE INDEX access_approval_moment ON access_approval (id, kind, used, approved);
