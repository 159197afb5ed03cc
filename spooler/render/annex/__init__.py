"""Step 2c: files that came with a request, made harmless and ready to place. `normal` is the way in."""
