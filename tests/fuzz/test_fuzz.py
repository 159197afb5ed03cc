"""Every reader of foreign bytes, on its corpus and some hundred changes of it: refused as it says, or read; in seconds, not guided.

`make fuzz` is the long form. What it found stays in the corpus, under a name that begins with `found-`.
"""

from time import process_time

import pytest

from tests.fuzz.judge import CORPUS, TARGETS, Hung, Judge, TooLarge, corpus, load
from tests.fuzz.mutate import mutants

# As many as fit in a second or two.
MUTANTS = {
    "annex": 500,
    "callback": 5_000,
    "document": 300,
    "envelope": 2_000,
    "report": 3_000,
    "request": 1_200,
    "ticket": 1_000,
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_collected_is_read_or_refused(name):
    judge = Judge(load(name))
    accepted = [judge(data) for data in corpus(name)]

    assert any(accepted) or name == "ticket", "mutation that starts from nothing good gets nowhere"


@pytest.mark.parametrize("name", TARGETS)
def test_what_nobody_meant_is_refused_or_read(name):
    target = load(name)
    judge = Judge(target)

    for data in mutants(corpus(name), seed=20260520, count=MUTANTS[name], longest=target.LONGEST):
        judge(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_of_our_own_making(name):
    """Made by `python -m tests.fuzz.corpora`, or found by mutation; ciphertext is other each time it is made."""
    made = {seed for seed, _ in load(name).seeds()}
    kept = {path.name for path in (CORPUS / name).iterdir()}

    assert made == {one for one in kept if not one.startswith("found-")}


@pytest.mark.attack_row("S9")
def test_no_bit_of_the_seals_own_envelope_may_be_another():
    """Lengths, versions and names of algorithms stand outside of what a signature covers, and libraries pass over them."""
    target = load("document")
    (sealed,) = target._SEALED
    begin = sealed.index(b"/Contents <") + len(b"/Contents <")
    judge = Judge(target)
    assert judge(sealed)

    for byte in (*range(61), *range(509, 600)):
        at = begin + 2 * byte + 1
        assert not judge(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]), byte


class Broken:
    """A target that does what none may."""

    REFUSES = (ValueError,)
    MOST_MEGABYTES = 20
    LONGEST = 10

    def read(self, data: bytes) -> None:
        if data == b"refuse":
            raise ValueError
        if data == b"crash":
            raise KeyError("x")
        if data == b"hang":
            end = process_time() + 1.1
            while process_time() < end:
                pass
        if data == b"eat":
            self.eaten = b"x" * (200 << 20)

    def seeds(self):
        return iter(())


def test_the_judge_tells_a_crash_from_a_refusal():
    judge = Judge(Broken())

    assert judge(b"") is True
    assert judge(b"refuse") is False
    for data, crash in ((b"crash", KeyError), (b"hang", Hung), (b"eat", TooLarge)):
        with pytest.raises(crash):
            judge(data)


def test_the_same_seed_makes_the_same_mutants():
    """A crash in one place is a crash in another."""
    samples = corpus("report")

    assert list(mutants(samples, seed=1, count=50, longest=999)) == list(
        mutants(samples, seed=1, count=50, longest=999)
    )
    assert list(mutants(samples, seed=1, count=50, longest=999)) != list(
        mutants(samples, seed=2, count=50, longest=999)
    )
