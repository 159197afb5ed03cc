-- Version 9: how long orders are kept (agents/retention.py). A destroyed one has its row and its history, and no person.

ALTER TABLE orders ADD COLUMN destroyed_at TEXT;
CREATE INDEX orders_kept ON orders (state) WHERE destroyed_at IS NULL;
