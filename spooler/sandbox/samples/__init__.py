"""Synthetic requests for the sandbox and the demo: no person, parcel or certificate here exists.

`good/*.json` are accepted and print; `bad/*.json` hold `{"expect": {"field": …}, "request": …}` and are refused, naming that field;
`annexes/` holds the files that the requests name. `python -m spooler.sandbox.samples.make` makes all of them again.
"""

from pathlib import Path


def directory() -> Path:
    """Return where the samples lie."""
    return Path(__file__).parent
