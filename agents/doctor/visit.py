"""`certspool-agent doctor`: one look from the command line, without the agent; its words and its exit code."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.doctor.facts import JobFacts
from agents.doctor.findings import Finding
from agents.doctor.fix import Done, fix
from agents.doctor.judgement import examine
from agents.doctor.look import Ours, Places, look
from agents.permit import FOLDERS
from agents.printers import TITLE, Cups, Job
from agents.settings import HallSettings

SOUND, UNSAFE, NOT_REACHABLE = 0, 1, 4


@dataclass(frozen=True)
class Visit:
    """What was found, and with --fix what was done before."""

    findings: tuple[Finding, ...]
    is_reachable: bool
    done: Done | None

    @property
    def exit_code(self) -> int:
        if not self.is_reachable:
            return NOT_REACHABLE
        return UNSAFE if any(finding.is_unsafe for finding in self.findings) else SOUND

    def as_json(self) -> str:
        findings = [as_dict(finding) for finding in self.findings]
        fixed = None if self.done is None else asdict(self.done)
        answer = {"safe": self.exit_code == SOUND, "reachable": self.is_reachable, "findings": findings, "fix": fixed}
        return json.dumps(answer, ensure_ascii=False)

    def lines(self) -> Iterator[str]:
        if self.done is not None:
            yield from (f"✓ {line}" for line in self.done.did)
            yield from (f"✗ 未能 could not: {line}" for line in self.done.could_not)
            yield from (f"→ 请执行 now do: {line}" for line in self.done.then)
        if not self.is_reachable:
            yield "CUPS 没有应答，队列未检查 · CUPS does not answer, no queue was looked at"
        yield from _told(self.findings)
        if self.is_reachable and not self.findings:
            yield "一切正常 · all is well"


def visit(settings: HallSettings, *, is_to_fix: bool = False, prefix: Path | None = None) -> Visit:
    """Look, set right if asked to, and look again."""
    places, cups = Places(settings, prefix), Cups(settings.cups.socket)
    ours, done = by_permits(settings.hall.permits), None
    facts = look(places, cups, ours=ours)
    if is_to_fix:
        done = fix(examine(facts), facts, places, cups)
        facts = look(places, cups, ours=ours)
    return Visit(examine(facts), facts.queues is not None, done)


def by_permits(path: Path) -> Ours:
    """Tell our jobs without the journal: by their titles, and by the permit of that uuid, which names its job."""

    def ours(job: Job) -> JobFacts:
        number = _permitted(path, job)
        is_titled = TITLE.fullmatch(job.title) is not None
        borrows = number not in (None, job.number)
        return JobFacts(job.number, job.queue, number == job.number or (is_titled and not borrows), borrows)

    return ours


def as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "printer": finding.printer,
        "detail": finding.detail,
        "message": finding.message,
    }


def _permitted(path: Path, job: Job) -> int | None:
    try:
        permit = json.loads((path / FOLDERS[0] / str(job.uuid)).read_bytes())
        return int(permit["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _told(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        severity = "不安全 unsafe " if finding.is_unsafe else "提醒 warning"
        yield f"{severity}  {finding.printer or '-':<12} {finding.code}"
        yield f"    {finding.message}"
