-- The check-and-sign sheet (核对签收单): whether the order has one, and whether somebody said that it was signed. Its pass stands among
-- the others as attempt 0, before all that use a blank.

ALTER TABLE orders ADD COLUMN check_sheet TEXT;                           -- offered, required; NULL: none
ALTER TABLE orders ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;
