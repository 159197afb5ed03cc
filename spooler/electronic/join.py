"""Joins what has to do with electronic certificates, for `app`: who issues them, the thread that does, the public page."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter

from spooler.daemon.limit import Limit
from spooler.daemon.settings import SettingsError
from spooler.documents import Documents
from spooler.electronic.issue import ElectronicIssuer
from spooler.electronic.opening import Openings
from spooler.metrics import Metrics
from spooler.render import BadTemplate, FontMissing, find_templates
from spooler.render.electronic import ElectronicRenderer
from spooler.seal.key import SealKey
from spooler.settings import HomeSettings
from spooler.store import Store
from spooler.verify_page.certificates import OfStore
from spooler.verify_page.router import verify_router
from spooler.wire.trust import Trust

# The page beside the home's API is for an internal network; the public one has its own settings.
A_MINUTE, AT_ONCE, ALL_A_SECOND = 120.0, 60, 100.0

Clock = Callable[[], datetime]


def openings(settings: HomeSettings, trust: Trust) -> Openings:
    """Return the registries that have a credit code: these issue electronic certificates."""
    issuers = {one.id: one.credit_code for one in settings.registries if one.credit_code}
    names = {registry: trust.registries[registry].name for registry in issuers}
    return Openings(issuers, names, first_serial=settings.electronic.first_serial)


def electronic_issuer(
    settings: HomeSettings,
    *,
    store: Store,
    documents: Documents,
    seals: Mapping[str, SealKey],
    clock: Clock,
    metrics: Metrics,
) -> ElectronicIssuer:
    return ElectronicIssuer(
        store=store,
        documents=documents,
        draw=read_faces(settings).draw,
        seals=seals,
        public_address=settings.electronic.public_address,
        clock=clock,
        on_made=metrics.time_electronic,
    )


def read_faces(settings: HomeSettings) -> ElectronicRenderer:
    """Return the renderer with the site's faces; SettingsError names what is wrong with them."""
    try:
        return ElectronicRenderer(find_templates(), own=settings.home.templates_directory)
    except (BadTemplate, FontMissing) as e:
        raise SettingsError(f"templates: {e}") from e


def page_beside_the_api(store: Store, clock: Clock, metrics: Metrics) -> APIRouter:
    limit = Limit(a_minute=A_MINUTE, at_once=AT_ONCE, all_a_second=ALL_A_SECOND)
    return verify_router(OfStore(store.electronics), limit=limit, clock=clock, count=metrics.count_verify)
