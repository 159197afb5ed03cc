"""What an operator sees: every promised name, and no person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from prometheus_client import generate_latest

from spooler.ground import broker_expiries
from spooler.metrics import Metrics, StoreFigures, key_expiries
from spooler.seal import broker_keys
from spooler.store.values import Alarm
from spooler.watch import Watch
from spooler.wire.link import BrokerAddress, Tls
from spooler.wire.messages import BlankCount, Heartbeat, PassReport, PrinterStanding
from tests.sealing import HALL, HOME
from tests.spooler.core.conftest import HOLDER, Clock, Home
from tests.spooler.core.hall import FakeHall

PROMISED = (
    "certspool_jobs",
    "certspool_jobs_waiting",
    "certspool_wait_age_seconds",
    "certspool_jobs_late",
    "certspool_stage_seconds",
    "certspool_requests_total",
    "certspool_outbox_depth",
    "certspool_callbacks_pending",
    "certspool_callbacks_parked",
    "certspool_hall_last_report_timestamp_seconds",
    "certspool_hall_blanks",
    "certspool_hall_printer_state",
    "certspool_passes_total",
    "certspool_key_expiry_timestamp_seconds",
    "certspool_build_info",
)


def test_every_promised_name_is_there_from_the_start(home: Home) -> None:
    shown = _shown(home, Metrics())

    assert [name for name in PROMISED if f"# TYPE {name} " not in shown] == []


def test_the_figures_are_those_of_the_store(home: Home, hall: FakeHall, clock: Clock) -> None:
    metrics = Metrics()
    home.store.transactions.watch_moves(metrics.count_move)
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.accept(2)
    clock.advance(minutes=16)
    Watch(store=home.store, clock=clock).look()

    shown = _shown(home, metrics)

    where = f'hall="{HALL}",kind="proof",registry="{HOME}"'
    for line in (
        f'certspool_jobs{{{where},state="received"}} 1.0',
        f'certspool_jobs{{{where},state="accepted"}} 1.0',
        f'certspool_jobs_waiting{{hall="{HALL}",reason="waiting-release",registry="{HOME}"}} 1.0',
        f'certspool_wait_age_seconds{{hall="{HALL}",reason="waiting-release"}} 960.0',
        f'certspool_jobs_late{{hall="{HALL}",registry="{HOME}"}} 2.0',
        'certspool_stage_seconds_count{stage="receive"} 1.0',
        'certspool_callbacks_pending{endpoint="records"}',
    ):
        assert line in shown


def test_halls_are_shown_by_their_heartbeat(home: Home, hall: FakeHall) -> None:
    printer = PrinterStanding(name="proof-1", stock="proof", state="stopped")
    blanks = BlankCount(stock="proof", status="on-hand", count=7)
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1", printers=(printer,), blanks=(blanks,)))

    shown = _shown(home, Metrics())

    assert f'certspool_hall_blanks{{hall="{HALL}",status="on-hand",stock="proof"}} 7.0' in shown
    assert f'certspool_hall_printer_state{{hall="{HALL}",printer="proof-1",state="stopped"}} 1.0' in shown
    assert f'certspool_hall_printer_state{{hall="{HALL}",printer="proof-1",state="idle"}} 0.0' in shown


def test_a_printer_that_is_not_calibrated_is_shown(home: Home, hall: FakeHall) -> None:
    """By the heartbeat's word: halls are rarely scrapable."""
    measured = PrinterStanding(name="proof-1", stock="proof", state="idle")
    bare = PrinterStanding(name="booklet-1", stock="certificate", state="idle", reasons=("not-calibrated",))
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1", printers=(measured, bare)))

    shown = _shown(home, Metrics())

    name = "certspool_hall_printer_calibrated"
    assert f'{name}{{hall="{HALL}",printer="proof-1",stock="proof"}} 1.0' in shown
    assert f'{name}{{hall="{HALL}",printer="booklet-1",stock="certificate"}} 0.0' in shown


def test_what_happens_is_counted(home: Home, hall: FakeHall) -> None:
    metrics = Metrics()
    ticket = home.sent(hall)
    home.collector._on_pass = metrics.count_pass
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.about(ticket, PassReport, "printing", number=1, outcome="done", printer="proof-1"))
    metrics.count_request(HOME, "window", "201")
    metrics.count_alarm(Alarm("two-agents", hall=HALL))

    shown = _shown(home, metrics)

    assert f'certspool_passes_total{{hall="{HALL}",outcome="done",printer="proof-1"}} 1.0' in shown
    assert f'certspool_requests_total{{channel="window",code="201",registry="{HOME}"}} 1.0' in shown
    assert f'certspool_alarms_total{{code="two-agents",hall="{HALL}"}} 1.0' in shown


def test_when_a_key_ends_follows_the_trust_directory(home: Home) -> None:
    """Read at each scrape: a rotated key shows without a restart."""
    metrics = Metrics()
    before = _shown(home, metrics)
    record = home.trust.registries[HOME]
    (key,) = record.ticket_keys
    later = key.model_copy(update={"not_after": key.not_after + timedelta(days=100)})
    renewed = record.model_copy(update={"ticket_keys": (key, later)})
    home.trust = replace(home.trust, registries={**home.trust.registries, HOME: renewed})

    shown = generate_latest(metrics.registry).decode()

    line = f'certspool_key_expiry_timestamp_seconds{{kind="ticket",owner="{HOME}"}} '
    ends = [float(text.split(line)[1].split()[0]) for text in (before, shown)]
    assert ends == [key.not_after.timestamp(), later.not_after.timestamp()]


def test_no_person_and_no_number_is_in_any_metric(home: Home, hall: FakeHall) -> None:
    """Promise 5, I8."""
    home.sent(hall)

    shown = _shown(home, Metrics())

    assert HOLDER not in shown and "望奎县" not in shown and "request-1" not in shown


def _shown(home: Home, metrics: Metrics) -> str:
    metrics.registry.register(
        StoreFigures(
            store=home.store, clock=home.clock, expiries=lambda: key_expiries(home.trust, [HOME]), endpoints=["records"]
        )
    )
    return generate_latest(metrics.registry).decode()


def test_home_says_when_the_certificates_at_the_broker_end(tmp_path):
    """Of every hall and node by the trust directory, its own by the file that it shows."""
    now = datetime.now(UTC)
    own = broker_keys.add_home(tmp_path, "home", now)
    broker_keys.add_hall(tmp_path, HALL, now - timedelta(days=700))
    broker_keys.add_server(tmp_path, "mq-1", [], now)
    (tmp_path / "trust/broker/clients/home.pem").write_text("an old one, or none")
    settings = SimpleNamespace(home=SimpleNamespace(trust_directory=tmp_path / "trust"))
    tls = Tls(tmp_path / "trust/broker-ca.pem", own)

    ends = broker_expiries(settings, BrokerAddress("mq-1", 5671, "/", "home", tls=tls))

    days = {(one.kind, one.owner): round((one.at - now) / timedelta(days=1)) for one in ends}
    assert days == {("broker", "home"): 731, ("broker", HALL): 31, ("broker-server", "mq-1"): 731}
