"""Whatever signs, one interface: its name stands in the key's record, its forms are its own, and no key of another kind fits it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from spooler.wire.algorithms import ALGORITHMS, ES256, RS256, FileSigner, algorithm_of
from spooler.wire.errors import BadSignature

KEYS = {"ES256": ec.generate_private_key(ec.SECP256R1()), "RS256": rsa.generate_private_key(65537, 2048)}
STRANGERS = [
    ec.generate_private_key(ec.SECP384R1()),
    ec.generate_private_key(ec.SECP256K1()),
    rsa.generate_private_key(65537, 1024),
    ed25519.Ed25519PrivateKey.generate(),
]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_is_signed_is_believed_and_nothing_else(name):
    algorithm, private = ALGORITHMS[name], KEYS[name]
    signature = FileSigner(private, algorithm).sign(b"data")

    algorithm.verify(private.public_key(), b"data", signature)
    algorithm.verify(private.public_key(), b"data", algorithm.from_wire(algorithm.to_wire(signature)))
    for data, wrong in ((b"date", signature), (b"data", signature[:-1] + bytes([signature[-1] ^ 1]))):
        with pytest.raises(BadSignature):
            algorithm.verify(private.public_key(), data, wrong)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_key_fits_its_own_algorithm_alone(name):
    public = KEYS[name].public_key()

    assert algorithm_of(public).name == name
    assert [one.name for one in ALGORITHMS.values() if one.fits(public)] == [name]


@pytest.mark.parametrize("stranger", STRANGERS, ids=["P-384", "secp256k1", "RSA-1024", "Ed25519"])
def test_a_key_of_another_kind_signs_nothing_here(stranger):
    with pytest.raises(BadSignature):
        algorithm_of(stranger.public_key())


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_an_es256_signature_on_the_wire_has_64_bytes(length):
    with pytest.raises(BadSignature, match="64"):
        ES256.from_wire(bytes(length))


def test_an_rsa_signature_is_the_same_on_the_wire():
    assert RS256.to_wire(b"signature") == RS256.from_wire(b"signature") == b"signature"
