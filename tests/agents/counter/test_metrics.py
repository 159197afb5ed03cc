"""Names that dashboards hold on to, and numbers that are right after a restart."""

from prometheus_client.exposition import generate_latest

from agents.metrics import make_registry
from tests.agents.counter.hall import HALL


def told(counter) -> str:
    registry = make_registry(
        hall=HALL, ledger=counter.ledger, board=counter.hall.board, is_connected=lambda: True, clock=counter.clock
    )
    return generate_latest(registry).decode()


def test_the_halls_figures_come_from_the_ledger(counter):
    counter.confirms(counter.has_printed_booklet())
    counter.arrives(counter.proof())
    counter.restart()

    lines = set(told(counter).splitlines())

    assert lines >= {
        f'certspool_jobs{{hall="{HALL}",kind="certificate",registry="231221",state="printed"}} 1.0',
        f'certspool_jobs_waiting{{hall="{HALL}",reason="waiting-release",registry="231221"}} 1.0',
        f'certspool_passes_total{{hall="{HALL}",outcome="done",printer="booklet-1"}} 2.0',
        f'certspool_hall_blanks{{hall="{HALL}",status="used",stock="certificate"}} 1.0',
        f'certspool_hall_blanks{{hall="{HALL}",status="loaded",stock="certificate"}} 9.0',
        f'certspool_hall_printer_state{{hall="{HALL}",printer="booklet-1",state="unknown"}} 1.0',
    }


def test_no_person_stands_in_a_metric(counter):
    counter.arrives(counter.booklet())

    assert "赵" not in told(counter)
