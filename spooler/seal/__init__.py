"""Step 3: the registry's seal. What leaves this step is signed, and can be told from any forgery by whoever holds the trust directory."""
