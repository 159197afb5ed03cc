"""Ports for a sandbox: free, different, and only from where they were asked to come."""

import socket

import pytest

from spooler.sandbox.ports import KEPT_FREE, LOOPBACK, RANGE_VARIABLE, free_ports


def test_they_come_from_the_range_that_was_given(monkeypatch):
    monkeypatch.setenv(RANGE_VARIABLE, "20100-20119")

    assert set(free_ports(5)) <= set(range(20100, 20120))


def test_without_one_they_lie_below_the_outgoing_ones(monkeypatch):
    monkeypatch.delenv(RANGE_VARIABLE, raising=False)

    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert set(ports) <= set(KEPT_FREE)


def test_one_that_is_listened_on_is_not_given(monkeypatch):
    monkeypatch.delenv(RANGE_VARIABLE, raising=False)
    (taken,) = free_ports(1)
    monkeypatch.setenv(RANGE_VARIABLE, f"{taken}-{taken}")

    with socket.create_server((LOOPBACK, taken)), pytest.raises(OSError, match=RANGE_VARIABLE):
        free_ports(1)


def test_what_was_given_is_not_given_again_while_nobody_listens_yet(monkeypatch):
    """A site's ports are chosen before its broker's, and its parts listen only when the broker runs."""
    monkeypatch.setenv(RANGE_VARIABLE, "20200-20229")

    rounds = [set(free_ports(5)) for _ in range(5)]

    assert len(set().union(*rounds)) == 25


def test_when_all_were_given_the_free_ones_are_given_again(monkeypatch):
    monkeypatch.setenv(RANGE_VARIABLE, "20240-20244")

    assert set(free_ports(5)) == set(free_ports(5)) == set(range(20240, 20245))


@pytest.mark.parametrize("text", ["20000", "20000-", "many", "20010-20000", "80-90", "60000-70000"])
def test_a_range_that_is_none_is_named(monkeypatch, text):
    monkeypatch.setenv(RANGE_VARIABLE, text)

    with pytest.raises(ValueError, match=RANGE_VARIABLE):
        free_ports(1)
