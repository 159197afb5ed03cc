"""Step 5: bring each released pass to paper at most once, by the pass protocol of design §4.

The values and the `TryBook` that the ledger implements are in `tries`; they are named here as well, where a reader looks first.
"""

from agents.tries import Evidence, ReleasedPass, Try, TryBook

__all__ = ["Evidence", "ReleasedPass", "Try", "TryBook"]
