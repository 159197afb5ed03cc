-- The paper in whose place an order's is issued (换发, 补发, 更正), and whether it is back. A number is no person.

ALTER TABLE orders ADD COLUMN replaces TEXT;                              -- JSON, as the ticket says it
ALTER TABLE orders ADD COLUMN old_returned INTEGER NOT NULL DEFAULT 0;
