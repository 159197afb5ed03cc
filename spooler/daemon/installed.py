"""What is installed beside the programs, on either side: the templates."""

import sysconfig
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def find_templates() -> Path:
    """Return the checkout's own templates, else the installed ones."""
    checkout = Path(__file__).resolve().parents[2] / "templates"
    installed = Path(sysconfig.get_path("data")) / "share" / "certspool" / "templates"
    return checkout if checkout.is_dir() else installed
