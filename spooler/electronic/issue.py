"""Issues electronic certificates: each that is due is drawn, sealed and kept, beside the job's way to paper and never in it.

    accepted ─▶ due ─▶ drawn from the kept request ─▶ sealed by the registry ─▶ kept by hash
    withdrawn, superseded ─▶ due again: the next edition says so across every page

May run twice: until the store knows of a file nobody sees it. What fails is tried again, and told once.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from spooler.daemon.late import loading
from spooler.daemon.worker import Worker
from spooler.documents import Documents
from spooler.electronic.validity import Validity
from spooler.intake.check import Received, content_of
from spooler.intake.names import Written
from spooler.intake.request import Request
from spooler.render.content import Content
from spooler.render.electronic import Facts
from spooler.seal.key import SealKey
from spooler.store import Store
from spooler.store.electronic import DueFile, MadeFile
from spooler.store.values import Alarm

LOOK_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 300.0
CHINA = ZoneInfo("Asia/Shanghai")
# What stands across every page of a certificate that is no longer valid, and in its foot.
MARKS: Mapping[Validity, tuple[str, str]] = {
    Validity.GENUINE: ("", ""),
    Validity.WITHDRAWN: ("已注销", "本电子证照已于{day}注销"),
    Validity.SUPERSEDED: ("已被取代", "本电子证照已于{day}被新证取代"),
}

Draw = Callable[[Content, Facts], bytes]

_log = structlog.get_logger()


class ElectronicIssuer(Worker):
    """A thread that makes the files. `wake` may be called by any other."""

    def __init__(
        self,
        *,
        store: Store,
        documents: Documents,
        draw: Draw,
        seals: Mapping[str, SealKey],
        public_address: str,
        clock: Callable[[], datetime],
        on_made: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        # The store failed (disk full): the next look finds the same.
        super().__init__("electronic", trouble="electronic certificates not issued", rest_seconds=LOOK_SECONDS)
        self._store = store
        self._documents = documents
        self._draw = draw
        self._seals = seals
        self._public_address = public_address
        self._clock = clock
        self._on_made = on_made

    def work_off(self) -> None:
        """Make in this thread all files that are due now."""
        while found := self._store.electronics.due(self._clock()):
            for due in found:
                if self.is_stopping:
                    return
                self._issue(due)

    def turn(self) -> float:
        self.work_off()
        return LOOK_SECONDS

    def _issue(self, due: DueFile) -> None:
        try:
            sealed = self.make(due)
            self._store.electronics.made(due, self._keep(due, sealed))
        # A foreign annex, a font, a disk: whatever it is concerns this certificate alone.
        except Exception as e:
            self._put_off(due, e)
            return
        if due.edition == 1:
            self._on_made((self._clock() - due.created_at).total_seconds())

    def make(self, due: DueFile) -> bytes:
        """Return the sealed file as the certificate stands now."""
        facts = self._facts(due)
        face = self._draw(self._content(due), facts)
        with loading:
            from spooler.seal.electronic import seal_electronic
        return seal_electronic(face, self._said(due, facts), self._seals[due.certificate.registry])

    def _keep(self, due: DueFile, sealed: bytes) -> MadeFile:
        return MadeFile(
            edition=due.edition,
            shows=due.certificate.validity,
            identifier=due.identity.identifier(due.edition),
            sha256=self._documents.keep(sealed),
            bytes=len(sealed),
        )

    def _content(self, due: DueFile) -> Content:
        private = self._documents.read_private(due.private_sha256)
        annexes = tuple(self._documents.read(name) for name in due.annexes)
        received = Received(Request.model_validate(private.request), annexes, "", Written())
        return content_of(received, due.certificate.registry_name)

    def _facts(self, due: DueFile) -> Facts:
        mark, note = MARKS[due.certificate.validity]
        since = due.certificate.validity_since.astimezone(CHINA)
        return Facts(
            identifier=due.identity.identifier(due.edition),
            address=verify_address(self._public_address, due.certificate.code),
            mark=mark,
            note=note.format(day=f"{since:%Y}年{since:%m}月{since:%d}日"),
        )

    def _said(self, due: DueFile, facts: Facts) -> dict[str, Any]:
        """Return what is attached for machines: no person, no field."""
        certificate = due.certificate
        return {
            "v": 1,
            "identifier": facts.identifier,
            "registry": certificate.registry,
            "kind": certificate.kind,
            "number": certificate.number,
            "version": due.version,
            "booked_on": certificate.booked_on.isoformat(),
            "validity": certificate.validity.value,
            "issued_at": self._clock().isoformat(),
            "verify": facts.address or None,
        }

    def _put_off(self, due: DueFile, error: Exception) -> None:
        job_id = due.certificate.job_id
        longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(due.tries, 20))
        seconds = longest * random.uniform(0.5, 1)
        _log.error("electronic certificate not made", job_id=job_id, tries=due.tries + 1, exc_info=error)
        self._store.electronics.postpone(due, seconds)
        if due.tries == 0:
            with self._store.changing() as change:
                change.alarm(Alarm("electronic-not-made", job_id=job_id, detail=type(error).__name__))


def verify_address(public_address: str, code: str) -> str:
    """Return what the QR code says; nothing without a public page, then the request's own text stands there."""
    return f"{public_address.rstrip('/')}/verify/{code}" if public_address else ""
