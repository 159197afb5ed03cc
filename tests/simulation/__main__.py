"""`python -m tests.simulation --seeds 100000 --from 0 --jobs 2`: run many seeds and say what they came to."""

import argparse
import sys
import time

from tests.simulation.bindings import in_memory
from tests.simulation.series import Total, run_all, run_safely, shortened

SHOWN = 3


def main() -> int:
    options = _options()
    if options.trace is not None:
        return _trace(options.trace)
    total, began, told = Total(), time.monotonic(), 0.0
    for part in run_all(options.first, options.seeds, options.jobs):
        total.join(part)
        for seed, text in part.violations:
            print(f"  seed {seed}: {text}", file=sys.stderr, flush=True)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"  {total.seeds} seeds, {len(total.violations)} violations", file=sys.stderr, flush=True)
    _report(total, time.monotonic() - began)
    for seed, text in sorted(total.violations)[:SHOWN]:
        _show(seed, text)
    return 1 if total.violations else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--trace", type=int, metavar="SEED", help="run this one seed and print what happens in it")
    return parser.parse_args()


def _report(total: Total, seconds: float) -> None:
    asked = sum(total.asks.values())
    print(f"seeds       {total.seeds} in {seconds:.1f} s, {total.seeds / seconds:.0f} a second")
    print(f"steps       {total.steps / total.seeds:.0f} a seed on average, {total.fewest_steps} at least")
    print(f"jobs        {total.jobs}: {_counted(total.states)}")
    print(f"paper       {total.sheets} sheets, {total.dones} passes called done by the machine")
    print(f"asks        {asked} ({_counted(total.asks)})")
    print(f"faults      {sum(total.faults.values())}: {_counted(total.faults)}")
    print(f"violations  {len(total.violations)}")


def _counted(what: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(what.items(), key=lambda item: -item[1]))


def _show(seed: int, text: str) -> None:
    result = shortened(seed)
    print(f"\nseed {seed}: {text}\n  (python -m tests.simulation --trace {seed}; shortened below)")
    for at, line in result.trace[-60:]:
        print(f"  {at:9.2f}  {line}")


def _trace(seed: int) -> int:
    with in_memory():
        result = run_safely(seed, keeps_trace=True)
    for at, line in result.trace:
        print(f"{at:9.2f}  {line}")
    print(result.violation[1] if result.violation else f"no violation in {result.steps} steps")
    return 1 if result.violation else 0


if __name__ == "__main__":
    sys.exit(main())
