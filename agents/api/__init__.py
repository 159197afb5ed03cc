"""The hall's HTTP API, for the console, self-service machines and tests: it translates, and decides nothing."""
