"""How grants are shown to whoever asked, on either side."""

import json
from collections.abc import Iterator
from datetime import datetime

from spooler.wire.granting import Done, Line, lines
from spooler.wire.grants import Judged

WORDS = {
    "agreed": "双方已签，授权成立 · both have signed: it is granted",
    "offered": "已提出，待对方签署 · offered, the other side is to sign",
    "withdrawn": "已撤回 · withdrawn",
}


def told(done: Done, as_json: bool) -> str:
    registry, hall = done.pair
    if as_json:
        facts = {"registry": registry, "hall": hall, "sequence": done.sequence, "state": done.state}
        return json.dumps({**facts, "file": str(done.file)}, ensure_ascii=False)
    return (
        f"{registry} {hall} #{done.sequence}  {WORDS[done.state]}; {done.file} goes to the other side's trust/grants/"
    )


def told_lines(judged: Judged, now: datetime, as_json: bool) -> Iterator[str]:
    found = lines(judged, now)
    if as_json:
        yield json.dumps({"grants": [_as_json(line) for line in found]}, ensure_ascii=False)
    else:
        yield from (_as_text(line) for line in found)


def _as_json(line: Line) -> dict[str, object]:
    registry, hall = line.pair or (None, None)
    return {
        "registry": registry,
        "hall": hall,
        "sequence": line.sequence,
        "state": line.state,
        "kinds": list(line.kinds),
        "from": None if line.not_before is None else line.not_before.isoformat(),
        "until": None if line.not_after is None else line.not_after.isoformat(),
        "signed_by": list(line.signed_by),
        "why": line.why,
        "file": line.file,
    }


def _as_text(line: Line) -> str:
    if line.pair is None or line.sequence is None:
        return f"{line.state:<12} {line.file}  {line.why}"
    days = " … ".join(f"{at:%Y-%m-%d}" for at in (line.not_before, line.not_after) if at is not None)
    return f"{line.state:<12} {' '.join(line.pair)} #{line.sequence}  {','.join(line.kinds)}  {days}  {'+'.join(line.signed_by)}"
