"""How many orders a home seals in a second with its keys in files, and with both in a token (SoftHSM, whose arithmetic is software too)."""

import time
from datetime import timedelta

import pytest

from spooler.seal import rotation
from spooler.seal.authority import SealAlgorithm
from spooler.seal.rotation import KeyUse
from spooler.seal.ticket import seal_order
from spooler.seal.token import Place, Token
from tests.sealing import HOME, NOW, Office, a_pdf, some_facts
from tests.spooler.seal.softhsm import MODULE, PIN, SoftHsm
from tests.spooler.seal.test_token import keys, seal_of, ticket_key_of

ROUNDS = 200


@pytest.mark.bench
@pytest.mark.parametrize("algorithm", [SealAlgorithm.P_256, SealAlgorithm.RSA_2048, SealAlgorithm.RSA_3072])
def test_seals_a_second_with_a_file_and_with_a_token(tmp_path, algorithm):
    office = Office.create(tmp_path / "pki", algorithm)
    hsm = SoftHsm.create(tmp_path / "hsm")
    hsm.put_in(algorithm.value)
    token = Token(Place(MODULE, algorithm.value, lambda: PIN))
    for use in (KeyUse.SEAL, KeyUse.TICKET):
        rotation.issue(office.directory, HOME, use, now=NOW, token=token, algorithm=algorithm, overlap=timedelta(30))
        rotation.activate(office.directory, HOME, use)
    found = keys(office, algorithm.value)
    pairs = {
        "file": (office.seal_key(), office.ticket_key()),
        "token": (seal_of(office, found), ticket_key_of(office, found)),
    }

    rates, signed = {}, {}
    for name, (seal_key, ticket_key) in pairs.items():
        pdf = a_pdf()
        seal_order(some_facts(), pdf, seal_key=seal_key, ticket_key=ticket_key)
        start = time.perf_counter()
        for _ in range(ROUNDS):
            seal_order(some_facts(), pdf, seal_key=seal_key, ticket_key=ticket_key)
        rates[name] = ROUNDS / (time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(ROUNDS):
            seal_key._key.sign(b"attributes")
        signed[name] = (time.perf_counter() - start) / ROUNDS * 1000
    found.close()
    token.close()
    told = ", ".join(f"{name} {rates[name]:.0f}/s (the seal's signature alone {signed[name]:.2f} ms)" for name in rates)
    print(f"\nseal and ticket, {algorithm}: {told}")

    assert rates["token"] > 5  # a city centre issues 710 in a day
