"""Mutation guided by coverage (atheris, libFuzzer): one target until its time is over, or its first crash.

`python -m tests.fuzz.guide envelope --seconds 60`: run by `tests.fuzz`, in a process of its own, since libFuzzer ends it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz.judge import CORPUS, TARGETS, Judge, load

# What decides, and the parsers below it; more would only be slower.
OURS = ("spooler.wire", "spooler.intake", "spooler.callback_verify", "spooler.render.annex", "agents.verify")
THEIRS = ("pyhanko.pdf_utils", "pyhanko.sign.validation", "pypdf")


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("target", choices=TARGETS)
    given.add_argument("--seconds", type=int, default=60)
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--found", type=Path, default=None, help="where a crash is kept")
    asked = given.parse_args()
    with atheris.instrument_imports(include=[*OURS, *THEIRS]):
        target = load(asked.target)

    judge = Judge(target)

    def try_one(data: bytes) -> None:
        judge(data)

    with tempfile.TemporaryDirectory() as work:
        found = asked.found or Path(work)
        options = [
            *(f"-max_total_time={asked.seconds}", f"-max_len={target.LONGEST}", f"-seed={asked.seed}"),
            *(f"-rss_limit_mb={target.MOST_MEGABYTES + 512}", "-timeout=20", "-print_final_stats=1", "-verbosity=1"),
            f"-artifact_prefix={found}/{asked.target}-",
        ]
        # The first directory takes what is new, and is thrown away; the committed one is only read.
        atheris.Setup([sys.argv[0], *options, work, str(CORPUS / asked.target)], try_one, enable_python_coverage=True)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
