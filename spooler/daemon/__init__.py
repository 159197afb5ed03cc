"""The frame of both daemons: start and stop, settings, logs, probes, HTTP."""
