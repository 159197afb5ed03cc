"""The hall's door for people with a password: its accounts, and what is kept, counted and logged of who came and who was refused."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from agents.ledger import Ledger
from agents.settings import HallSection
from spooler.daemon.login.door import Door, Knock
from spooler.daemon.login.records import accounts_at

_log = structlog.get_logger()


class Reception:
    """Hears of every knock."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._counts: Counter[str] = Counter()

    def told(self, knock: Knock) -> None:
        self._counts[knock.what] += 1
        if knock.what == "limited":
            return  # as many as somebody cares to send
        _log.info("login", what=knock.what, account=knock.account)
        if knock.account is not None:
            with self._ledger.transaction():
                self._ledger.logins.note(knock.account, knock.what, self._clock())

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)


def hall_door(settings: HallSection, reception: Reception) -> Door:
    """Return the door, or raise SettingsError when there are accounts that cannot be read."""
    accounts = accounts_at(settings.accounts, "hall.accounts_file")
    # Several halls may be behind one address, and a cookie does not know of ports.
    return Door(f"hall-{settings.id}", accounts=accounts, told=reception.told, is_plain=settings.plain_http_sessions)
