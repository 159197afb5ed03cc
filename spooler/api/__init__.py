"""The home's HTTP API: it translates, and decides nothing."""
