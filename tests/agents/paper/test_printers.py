"""What a hall says to CUPS of a job: ids, and options of ours alone."""

from inspect import signature
from uuid import uuid4

import pytest

from agents.printers import Cups


@pytest.mark.attack_row("S16")
@pytest.mark.parametrize(
    "title",
    [
        "../../etc/passwd",
        "张三 不动产权证书",
        "a\x00b",
        "-o raw",
        "x" * 4096,
        "00000000-0000-4000-8000-000000000000/1/1/1\n",
    ],
)
def test_a_title_that_is_more_than_ids_never_reaches_cups(tmp_path, title):
    """Refused before anybody is connected to: there is no cupsd at this socket."""
    with pytest.raises(ValueError, match="ids only"):
        Cups(tmp_path / "nobody").create("queue", uuid4(), title, None)


@pytest.mark.attack_row("S16")
def test_no_option_of_a_job_comes_out_of_a_message():
    """What may be said of a job is what `create` names: ids, one copy, no banner, one page a side, as it is."""
    assert list(signature(Cups.create).parameters) == ["self", "queue", "uuid", "title", "page_size"]
