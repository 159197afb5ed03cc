"""How soon a restarted daemon is ready with all that it remembers; run by `make bench`. Real processes on a real sandbox."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.build import a_proof
from tests.journeys.conftest import a_sandbox
from tests.journeys.drive import Driver, eventually

HALL = "231282-01"
ORDERS, JOBS = 10_000, 1_000_000
AGENT_SECONDS, HOME_SECONDS = 3.0, 5.0

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]


@pytest.fixture
def county(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """One registry, one hall, nobody at the counter: what arrives waits."""
    options = ("--registries", "231221", "--halls", HALL, "--blanks", "30", "--clerk", "none")
    with a_sandbox(request.session, *options) as driver:
        yield driver


def test_an_agent_with_ten_thousand_orders_is_ready_in_three_seconds(county: Driver, capsys: Any) -> None:
    """Ready: connected to the broker, its journal checked and compared with the permits, its printers served."""
    sent(county, 1)
    hall = county.hall(HALL)
    stop(hall["pid"])
    data = Path(hall["config"]).parent / "agent"
    multiply_orders(data, ORDERS)

    seconds = until_ready(hall["api"], lambda: county.restart(f"agent:{HALL}"))

    cpu = cpu_of(county.hall(HALL)["pid"])
    size = (data / "ledger.sqlite").stat().st_size / 1e6
    with capsys.disabled():
        print(
            f"\nagent, {ORDERS} journalled orders ({size:.0f} MB): process start → ready {seconds:.2f} s, {cpu:.2f} s of them CPU"
        )
    assert seconds <= AGENT_SECONDS


def test_a_home_with_a_million_jobs_is_ready_in_five_seconds(county: Driver, capsys: Any) -> None:
    """Ready, and the first answers after it too: what sweeps at the start must not read all jobs."""
    sent(county, 3)
    home = county.home
    stop(county.plan["homes"][0]["pid"])
    database = next((county.directory / "home").rglob("*.db"))
    multiply_jobs(database, JOBS)

    seconds = until_ready(home["api"], lambda: county.restart("home"))

    cpu = cpu_of(county.plan["homes"][0]["pid"])
    began = time.monotonic()
    job = county.accepted(a_proof(hall=HALL))
    county.until([job["job_id"]], {"received"}, 30)
    first = time.monotonic() - began
    with capsys.disabled():
        size = database.stat().st_size / 1e6
        print(f"\nhome, {JOBS} jobs ({size:.0f} MB): process start → ready {seconds:.2f} s, {cpu:.2f} s of them CPU")
        print(f"the first request after it: posted → received at the hall {first:.2f} s")
    assert seconds <= HOME_SECONDS
    assert first <= HOME_SECONDS


def sent(county: Driver, count: int) -> None:
    jobs = [county.accepted(a_proof(hall=HALL)) for _ in range(count)]
    county.until([job["job_id"] for job in jobs], {"received"}, 60)


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 30, lambda: "it does not stop")


def until_ready(api: str, start: Callable[[], Any]) -> float:
    began = time.monotonic()
    start()
    eventually(lambda: answers(f"{api}/readyz"), 120, lambda: "never ready", every_seconds=0.02)
    return time.monotonic() - began


def cpu_of(pid: int) -> float:
    """What the process has used so far: on a busy machine the better half of the figure."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def multiply_orders(data: Path, count: int) -> None:
    """Let the one order that is here be there many times, each with its passes, events and reports, and its own file."""
    with sqlite3.connect(data / "ledger.sqlite") as db:
        (order_id,) = db.execute("SELECT order_id FROM orders").fetchone()
        for n in range(1, count):
            new = f"00000000-0000-4000-8000-{n:012d}"
            copy(db, "orders", "order_id", order_id, order_id=new, job_id=new)
            copy(db, "passes", "order_id", order_id, order_id=new)
            copy(db, "events", "order_id", order_id, sequence=None, order_id=new)
            sent_again = {"position": None, "order_id": new, "id": new, "sequence": 1_000_000 + n}
            copy(db, "outbox", "order_id", order_id, "LIMIT 1", **sent_again)
            os.link(data / f"orders/{order_id}.order", data / f"orders/{new}.order")
    db.close()


def copy(db: sqlite3.Connection, table: str, key: str, value: str, end: str = "", **changed: Any) -> None:
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join("?" if name in changed else name for name in names)
    values = [changed[name] for name in names if name in changed]
    db.execute(f"INSERT INTO {table} SELECT {columns} FROM {table} WHERE {key} = ? {end}", (*values, value))


def multiply_jobs(database: Path, count: int) -> None:
    """Write jobs, orders and events as many as asked, nine of ten issued, the others open in every state."""
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA synchronous = OFF")
        (place,) = db.execute("SELECT place FROM jobs ORDER BY place LIMIT 1").fetchone()
        (highest,) = db.execute("SELECT max(place) FROM jobs").fetchone()
        db.execute("CREATE TEMP TABLE n (n INTEGER PRIMARY KEY, state TEXT)")
        states = ("received", "printing", "printed", "sent", "refused", "cancelled")
        case = "CASE WHEN value % 10 THEN 'issued' " + " ".join(
            f"WHEN value / 10 % {len(states)} = {n} THEN '{state}'" for n, state in enumerate(states)
        )
        db.execute(
            "WITH RECURSIVE s(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < ?)"
            f" INSERT INTO n SELECT value, {case} END FROM s",
            (count,),
        )
        unique = {
            "place": f"{highest} + n.n",
            "job_id": "printf('00000000-0000-4000-8000-%012d', n.n)",
            "request_id": "'bulk-' || n.n",
            "number": "'n-' || n.n",
            "number_key": "'n-' || n.n",
            "case_number": "'c-' || n.n",
            "state": "n.state",
            "reasons": "''",
        }
        fan(db, "jobs", f"jobs.place = {place}", unique)
        job_id = unique["job_id"]
        state = "CASE n.state WHEN 'received' THEN 'waiting' WHEN 'refused' THEN 'refused' ELSE n.state END"
        first = f"orders.job_id = (SELECT job_id FROM jobs WHERE place = {place})"
        fan(db, "orders", first, {"place": "NULL", "order_id": job_id, "job_id": job_id, "state": state})
        fan(db, "events", f"events.job_place = {place} AND events.sequence <= 4", {"job_place": f"{highest} + n.n"})
    db.close()


def fan(db: sqlite3.Connection, table: str, where: str, changed: dict[str, str]) -> None:
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    quoted = ", ".join(f'"{name}"' for name in names)
    columns = ", ".join(changed.get(name, f'{table}."{name}"') for name in names)
    db.execute(f"INSERT INTO {table} ({quoted}) SELECT {columns} FROM {table}, n WHERE {where}")
