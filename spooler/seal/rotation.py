"""A key in a key's place: issued beside the old one, believed by everybody before it is used, and the old one ended or revoked.

    issue      the private key as <name>.next, its public side in the trust record; the old key's time there ends after an overlap
    (carry trust/ to every machine; each reads it again within seconds)
    activate   <name>.next becomes <name>, the old file <name>.former-<id>

Private keys are written before anybody believes in them, and never overwritten.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from cryptography import x509

from spooler.seal import broker_keys, grants
from spooler.seal.authority import (
    CLOCK_MARGIN,
    Authority,
    SealAlgorithm,
    fingerprint,
    generate_seal_key,
    revocation_list,
    to_pem,
    to_pkcs12,
)
from spooler.seal.key import SealKey, UnusableKey
from spooler.seal.pki import KEY_LIFE, to_json
from spooler.seal.token import Token, TokenSigner
from spooler.wire.files import PRIVATE, AlreadyThere, write_again, write_new
from spooler.wire.grants import Side
from spooler.wire.keys import KeyRecord, SigningKey, WrapKey, kid_of_pem
from spooler.wire.trust import HallRecord, RegistryRecord, RevokedSeal

DEFAULT_OVERLAP = timedelta(days=30)
DEFAULT_LEAD = timedelta(hours=24)


class KeyUse(StrEnum):
    SEAL = "seal"
    TICKET = "ticket"
    REPORT = "report"
    WRAP = "wrap"
    GRANT = "grant"  # of both: what they agree on; no daemon holds it
    BROKER = "broker"  # of a hall, or of a home's user: who it is at the broker; no trust record names it


OF_REGISTRY = (KeyUse.SEAL, KeyUse.TICKET)
OF_HALL = (KeyUse.REPORT, KeyUse.WRAP)
IN_TOKEN = {KeyUse.SEAL: "seal.pem", KeyUse.TICKET: "ticket.public.pem"}  # what lies beside a key in a token


class NoSuchKey(Exception):
    """There is no registry, hall or key of that name in this directory."""


@dataclass(frozen=True)
class Issued:
    """A key that is there and not used yet."""

    owner: str
    use: KeyUse
    key_id: str
    file: Path
    not_before: datetime
    former_ends: datetime | None  # None: the old seal stays pinned, its certificate says when it ends


@dataclass(frozen=True)
class Revoked:
    owner: str
    use: KeyUse
    key_ids: tuple[str, ...]
    remaining: int  # keys of this use that are still good: with none, nothing goes on


def issue(
    directory: Path,
    owner: str,
    use: KeyUse,
    *,
    now: datetime,
    overlap: timedelta = DEFAULT_OVERLAP,
    lead: timedelta = DEFAULT_LEAD,
    algorithm: SealAlgorithm = SealAlgorithm.RSA_3072,
    token: Token | None = None,
) -> Issued:
    """Make the next key of this registry or hall; AlreadyThere while one waits to be activated.

    With `token` a seal or ticket key is made in it and stays there; the file then holds its public side (TokenError where it cannot).
    """
    if token is not None:
        return _issue_in_token(directory, owner, use, token, now, overlap, algorithm)
    if use is KeyUse.SEAL:
        return _issue_seal(directory, owner, now, algorithm)
    if use is KeyUse.BROKER:
        return _issue_broker(directory, owner, now)
    key, record, start = _new_key(use, now, lead)
    file = _next(credential(directory, owner, use))
    write_new(file, key.to_pem(), PRIVATE)
    ends = start + overlap
    _change(directory, owner, use, lambda keys: (*(_ended(one, ends) for one in keys), record))
    return Issued(owner, use, record.kid, file, start, ends)


def activate(directory: Path, owner: str, use: KeyUse) -> Path:
    """Put the next key in the place of the old one, which stays beside it; NoSuchKey if none was issued."""
    current = credential(directory, owner, use)
    if use in IN_TOKEN and not _next(current).exists():
        current = current.with_name(f"{owner}.{IN_TOKEN[use]}")
    coming = _next(current)
    if not coming.exists():
        raise NoSuchKey(f"{coming} is not there: issue it first")
    if current.exists():
        former = current.with_name(f"{current.stem}.former-{_id_of(current, use)[:16]}{current.suffix}")
        former.hardlink_to(current)  # the place is never empty in between
    coming.replace(current)
    if use is KeyUse.BROKER:
        broker_keys.publish(directory, broker_keys.user_of(owner), broker_keys.public_side(current.read_bytes()))
    return current


def revoke(
    directory: Path, owner: str, use: KeyUse, *, now: datetime, key_id: str | None = None, compromised: bool = False
) -> Revoked:
    """End a key at once: `key_id` is the beginning of its id, needed where there are several."""
    if use is KeyUse.SEAL:
        return _revoke_seal(directory, owner, key_id, now, compromised)
    if use is KeyUse.BROKER:
        ended, remaining = broker_keys.revoke(directory, owner, key_id or "", now)
        if not ended:
            raise NoSuchKey(f"{owner} has no {use} key in {directory} that begins with {key_id!r} and is not revoked")
        return Revoked(owner, use, ended, remaining)
    chosen = _choose([key.kid for key in _keys(directory, owner, use) if key.revoked_at is None], key_id, owner, use)
    keys = _change(
        directory,
        owner,
        use,
        lambda keys: (one.model_copy(update={"revoked_at": now}) if one.kid == chosen else one for one in keys),
    )
    return Revoked(owner, use, (chosen,), sum(one.serves(use, now) for one in keys))


def credential(directory: Path, owner: str, use: KeyUse) -> Path:
    """Return where the private key lies; NoSuchKey for an owner that has no such key."""
    place = broker_keys.place_of(directory, owner)
    if not (place if use is KeyUse.BROKER else _record_file(directory, owner, use)).exists():
        raise NoSuchKey(f"{owner} has no {use} key in {directory}")
    if use is KeyUse.BROKER:
        return place
    if use is KeyUse.GRANT:
        return grants.credential(directory, Side.HALL if _is_hall(owner) else Side.REGISTRY, owner)
    if use in OF_HALL:
        return directory / f"halls/{owner}/credentials/{use}.pem"
    return directory / f"home/credentials/{owner}.{'seal.p12' if use is KeyUse.SEAL else 'ticket.pem'}"


def _new_key(use: KeyUse, now: datetime, lead: timedelta) -> tuple[SigningKey | WrapKey, KeyRecord, datetime]:
    """A wrap key is used by others as soon as they believe in it: its hall gets it first, so its time begins later."""
    if use is KeyUse.WRAP:
        wrap, start = WrapKey.generate(), now + lead
        return wrap, wrap.record(start, start + KEY_LIFE), start
    key = SigningKey.generate()
    signs: Literal["ticket", "report", "grant"] = "report"
    if use is KeyUse.TICKET or use is KeyUse.GRANT:
        signs = "ticket" if use is KeyUse.TICKET else "grant"
    return key, key.record(signs, now - CLOCK_MARGIN, now + KEY_LIFE), now


def _ended(key: KeyRecord, at: datetime) -> KeyRecord:
    return key.model_copy(update={"not_after": min(key.not_after, at)})


def _issue_seal(directory: Path, owner: str, now: datetime, algorithm: SealAlgorithm) -> Issued:
    file = _next(credential(directory, owner, KeyUse.SEAL))
    record = _registry(directory, owner)
    authority = _authority(directory)
    private = generate_seal_key(algorithm)
    certificate = authority.certify_seal(private, registry=owner, name=record.name, now=now)
    write_new(file, to_pkcs12(private, certificate, authority), PRIVATE)
    _pin(directory, owner, certificate)
    return Issued(owner, KeyUse.SEAL, fingerprint(certificate), file, now, None)


def _issue_in_token(
    directory: Path,
    owner: str,
    use: KeyUse,
    token: Token,
    now: datetime,
    overlap: timedelta,
    algorithm: SealAlgorithm,
) -> Issued:
    """The public side in a file beside the other credentials: it says whose key it is, and which."""
    file = _next(credential(directory, owner, use).with_name(f"{owner}.{IN_TOKEN[use]}"))
    if file.exists():
        raise AlreadyThere(f"{file} is there already: activate it first")
    if use is KeyUse.SEAL:
        authority, name = _authority(directory), _registry(directory, owner).name
        signer = TokenSigner(token, token.generate(f"{owner}.seal", algorithm), owner)
        certificate = authority.certify_seal(signer, registry=owner, name=name, now=now)
        write_new(file, to_pem(certificate, authority.certificate), PRIVATE)
        _pin(directory, owner, certificate)
        return Issued(owner, use, fingerprint(certificate), file, now, None)
    key = SigningKey(TokenSigner(token, token.generate(f"{owner}.ticket", SealAlgorithm.P_256), owner))
    record, ends = key.record("ticket", now - CLOCK_MARGIN, now + KEY_LIFE), now + overlap
    write_new(file, record.public_key.encode(), PRIVATE)
    _change(directory, owner, use, lambda keys: (*(_ended(one, ends) for one in keys), record))
    return Issued(owner, use, key.kid, file, now, ends)


def _pin(directory: Path, owner: str, certificate: x509.Certificate) -> None:
    record = _registry(directory, owner)
    pinned = (*record.seal_fingerprints, fingerprint(certificate))
    _write(directory, owner, KeyUse.SEAL, record.model_copy(update={"seal_fingerprints": pinned}))


def _issue_broker(directory: Path, owner: str, now: datetime) -> Issued:
    """Both log in as the same user: the old one until it ends by itself."""
    file = _next(credential(directory, owner, KeyUse.BROKER))
    issuer, files = broker_keys.authority(directory, now)
    broker_keys.write(directory, files)
    pem = broker_keys.new_client(broker_keys.user_of(owner), issuer, now)
    write_new(file, pem, PRIVATE)
    return Issued(owner, KeyUse.BROKER, _id_of(file, KeyUse.BROKER), file, now, None)


def _revoke_seal(directory: Path, owner: str, key_id: str | None, now: datetime, compromised: bool) -> Revoked:
    credential(directory, owner, KeyUse.SEAL)
    record = _registry(directory, owner)
    ended = {one.fingerprint for one in record.revoked_seals}
    done = set(record.revoked_fingerprints) | (set() if compromised else ended)
    chosen = _choose([one for one in record.seal_fingerprints if one not in done], key_id, owner, KeyUse.SEAL)
    if compromised:
        change: dict[str, object] = {"revoked_fingerprints": (*record.revoked_fingerprints, chosen)}
    else:
        change = {"revoked_seals": (*record.revoked_seals, RevokedSeal(fingerprint=chosen, at=now))}
    _write(directory, owner, KeyUse.SEAL, record.model_copy(update=change))
    _list_revoked(directory, chosen, now)
    gone = set(record.revoked_fingerprints) | ended | {chosen}
    return Revoked(owner, KeyUse.SEAL, (chosen,), len(set(record.seal_fingerprints) - gone))


def _list_revoked(directory: Path, chosen: str, now: datetime) -> None:
    """Add the certificate to trust/ca.crl, for readers of PDF elsewhere; our halls go by the record."""
    credentials = directory / "home/credentials"
    for file in sorted({*credentials.glob("*.p12"), *credentials.glob("*.seal*.pem")}):
        certificate = _certificate(file)
        if certificate is not None and fingerprint(certificate) == chosen:
            path = directory / "trust/ca.crl"
            before = path.read_bytes() if path.exists() else None
            write_again(path, revocation_list(_authority(directory), before, now, certificate))


def _certificate(file: Path) -> x509.Certificate | None:
    content = file.read_bytes()
    try:
        return _first_certificate(content) if file.suffix == ".pem" else SealKey.from_pkcs12(content).certificate
    except (UnusableKey, ValueError):
        return None  # somebody else's file, or under a password


def _first_certificate(pem: bytes) -> x509.Certificate:
    """Return the seal's own of what stands beside a key in a token."""
    return x509.load_pem_x509_certificates(pem)[0]


def _choose(known: Iterable[str], key_id: str | None, owner: str, use: KeyUse) -> str:
    found = [one for one in known if one.startswith(key_id or "")]
    if len(found) != 1:
        which = ", ".join(one[:16] for one in found) or "none"
        raise NoSuchKey(f"which {use} key of {owner}? fitting: {which}")
    return found[0]


def _id_of(file: Path, use: KeyUse) -> str:
    content = file.read_bytes()
    if file.name.endswith(IN_TOKEN[KeyUse.TICKET]):
        return kid_of_pem(content)
    if use is KeyUse.SEAL and file.suffix == ".pem":
        return fingerprint(_first_certificate(content))
    if use is KeyUse.SEAL:
        return SealKey.from_pkcs12(content).fingerprint
    if use is KeyUse.BROKER:
        return fingerprint(x509.load_pem_x509_certificate(content))
    return WrapKey.from_pem(content).kid if use is KeyUse.WRAP else SigningKey.from_pem(content).kid


def _next(file: Path) -> Path:
    return file.with_name(f"{file.stem}.next{file.suffix}")


def _authority(directory: Path) -> Authority:
    try:
        return Authority.from_pem((directory / "ca/ca.pem").read_bytes(), (directory / "ca/ca.key").read_bytes())
    except FileNotFoundError as e:
        raise NoSuchKey(f"{e.filename} is not there: seals are certified where the authority is") from e


def _record_file(directory: Path, owner: str, use: KeyUse) -> Path:
    return directory / "trust" / ("halls" if _is_of_hall(owner, use) else "registries") / f"{owner}.json"


def _is_of_hall(owner: str, use: KeyUse) -> bool:
    return use in OF_HALL or (use is KeyUse.GRANT and _is_hall(owner))


def _is_hall(owner: str) -> bool:
    return "-" in owner  # <county>-NN; a registry has six digits


def _registry(directory: Path, owner: str) -> RegistryRecord:
    return RegistryRecord.model_validate_json(_record_file(directory, owner, KeyUse.SEAL).read_bytes())


def _hall(directory: Path, owner: str) -> HallRecord:
    return HallRecord.model_validate_json(_record_file(directory, owner, KeyUse.WRAP).read_bytes())


def _record(directory: Path, owner: str, use: KeyUse) -> RegistryRecord | HallRecord:
    return _hall(directory, owner) if _is_of_hall(owner, use) else _registry(directory, owner)


def _keys(directory: Path, owner: str, use: KeyUse) -> tuple[KeyRecord, ...]:
    credential(directory, owner, use)
    if use is KeyUse.GRANT:
        return _record(directory, owner, use).grant_keys
    if use is KeyUse.TICKET:
        return _registry(directory, owner).ticket_keys
    hall = _hall(directory, owner)
    return hall.report_keys if use is KeyUse.REPORT else hall.wrap_keys


def _change(
    directory: Path, owner: str, use: KeyUse, change: Callable[[tuple[KeyRecord, ...]], Iterable[KeyRecord]]
) -> tuple[KeyRecord, ...]:
    keys = tuple(change(_keys(directory, owner, use)))
    record = _record(directory, owner, use)
    _write(directory, owner, use, record.model_copy(update={f"{use}_keys": keys}))
    return keys


def _write(directory: Path, owner: str, use: KeyUse, record: RegistryRecord | HallRecord) -> None:
    write_again(_record_file(directory, owner, use), to_json(record.model_dump(mode="json")))


__all__ = ["AlreadyThere", "Issued", "KeyUse", "NoSuchKey", "Revoked", "activate", "issue", "revoke"]
