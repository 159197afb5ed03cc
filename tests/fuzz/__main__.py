"""`make fuzz`: every target in turn, guided by coverage, FUZZ_SECONDS each (60). Without atheris: mutation without a guide.

A crash is written to the directory `--found` (var/fuzz), and the exit code is 1. With `--target` one alone.
"""

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from tests.fuzz.judge import TARGETS, Judge, corpus, load
from tests.fuzz.mutate import mutants

_AT_ONCE = 500


def main() -> int:
    given = argparse.ArgumentParser(prog="make fuzz")
    given.add_argument("--target", choices=TARGETS, action="append")
    given.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS") or 60))
    given.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    given.add_argument("--found", type=Path, default=Path("var/fuzz"))
    asked = given.parse_args()
    asked.found.mkdir(parents=True, exist_ok=True)
    run = _guided if find_spec("atheris") else _unguided
    crashed = [name for name in asked.target or TARGETS if not run(name, asked.seconds, asked.seed, asked.found)]
    print(f"crashed: {', '.join(crashed) or 'none'} (seed {asked.seed})", flush=True)
    if not any(asked.found.iterdir()):
        asked.found.rmdir()
    return 1 if crashed else 0


def _guided(name: str, seconds: int, seed: int, found: Path) -> bool:
    print(f"{name}: {seconds} s, guided by coverage", flush=True)
    command = [sys.executable, "-m", "tests.fuzz.guide", name, "--seconds", str(seconds), "--seed", str(seed)]
    done = subprocess.run([*command, "--found", str(found)], capture_output=True, text=True, errors="replace")
    said = (done.stdout + done.stderr).splitlines()
    told = [line for line in said if line.startswith("stat::") or "cov:" in line][-6:]
    print("\n".join(told if done.returncode == 0 else said[-60:]), flush=True)
    return done.returncode == 0


def _unguided(name: str, seconds: int, seed: int, found: Path) -> bool:
    print(f"{name}: {seconds} s, without a guide (atheris is not installed)", flush=True)
    target, samples, end, runs = load(name), corpus(name), monotonic() + seconds, 0
    judge = Judge(target)
    while monotonic() < end:
        for data in mutants(samples, seed=seed + runs, count=_AT_ONCE, longest=target.LONGEST):
            runs += 1
            try:
                judge(data)
            except Exception as e:
                (found / f"{name}-crash-{seed}-{runs}").write_bytes(data)
                print(f"{type(e).__name__}: {e}", flush=True)
                return False
    print(f"{runs} inputs", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
