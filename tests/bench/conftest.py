"""Measurements run on the same sandboxes as the journeys."""

from tests.journeys.conftest import county, sandbox

__all__ = ["county", "sandbox"]
