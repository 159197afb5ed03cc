"""The home's door for people with a password: its accounts, and what is kept, counted and logged of who came and who was refused."""

import structlog

from spooler.daemon.login.door import Door, Knock
from spooler.daemon.login.records import accounts_at
from spooler.metrics import Metrics
from spooler.settings import HomeSection
from spooler.store import Store
from spooler.store.logins import Logins

_log = structlog.get_logger()


def home_door(settings: HomeSection, store: Store, metrics: Metrics) -> Door:
    """Return the door, or raise SettingsError when there are accounts that cannot be read."""
    kept = Logins(store.transactions)

    def told(knock: Knock) -> None:
        metrics.count_login(knock.what)
        if knock.what == "limited":
            return  # as many as somebody cares to send
        _log.info("login", what=knock.what, account=knock.account)
        if knock.account is not None:
            kept.note(knock.account, knock.what)

    door = Door(
        "home",
        accounts=accounts_at(settings.accounts, "home.accounts_file"),
        told=told,
        is_plain=settings.plain_http_sessions,
    )
    metrics.watch_sessions(door.count)
    return door
