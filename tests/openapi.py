"""Asks a served API all that its OpenAPI document allows, and much that it does not, and says what was answered against it."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# What a registry or a printer may be asked is more than a schema can say: 422 answers well-formed requests too.
BEYOND_A_SCHEMA = "positive_data_acceptance"
_ASKED = re.compile(r"Selected: \d+/(\d+)\s+Tested: (\d+)\n")


def breaches(
    url: str,
    directory: Path,
    *,
    token: str | None,
    options: Sequence[str],
    known: Mapping[str, str] | None = None,
) -> str:
    """Return what broke the contract, or nothing. `known` are parameters with a value that exists, else nothing is found."""
    settings = directory / "schemathesis.toml"
    settings.write_text("[parameters]\n" + "".join(f'"{name}" = "{value}"\n' for name, value in (known or {}).items()))
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings), "--no-color"),
            *("run", f"{url}/openapi.json", "--checks", "all", "--exclude-checks", BEYOND_A_SCHEMA),
            *(("--header", f"Authorization: Bearer {token}") if token else ()),
            *("--continue-on-failure", "--no-shrink", "--seed", "20260520", "--generation-database", "none", *options),
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    asked = _ASKED.search(done.stdout)
    is_kept = done.returncode == 0 and asked is not None and asked[1] == asked[2] != "0"
    return "" if is_kept else done.stdout[-20_000:] + done.stderr[-5_000:]
