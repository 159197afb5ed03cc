"""Keys by record: a key in a token never leaves it, and a public side names its key."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from spooler.wire.errors import BadSignature
from spooler.wire.keys import SigningKey, kid_of_pem

PEM = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


class InToken:
    """Signs, and shows its public side only."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    def public_key(self):
        return self._private.public_key()

    def sign(self, data: bytes) -> bytes:
        raise NotImplementedError


def test_a_key_in_a_token_is_not_written_to_a_file():
    with pytest.raises(BadSignature, match="stays there"):
        SigningKey(InToken()).to_pem()


def test_a_public_side_names_its_key():
    token = InToken()

    assert kid_of_pem(token.public_key().public_bytes(*PEM)) == SigningKey(token).kid


def test_the_public_side_of_another_kind_of_key_names_none():
    with pytest.raises(BadSignature, match="signing key"):
        kid_of_pem(x25519.X25519PrivateKey.generate().public_key().public_bytes(*PEM))
