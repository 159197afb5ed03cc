"""`certspool pki`: keys and trust of a small deployment, made on one machine and carried to the others."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from re import fullmatch
from typing import Annotated, NoReturn

import typer

from spooler.catalog import COUNTIES
from spooler.cli.token_option import LabelOption, ModuleOption, PinFileOption, token_of
from spooler.seal import broker_keys, pki, rotation
from spooler.seal.authority import SealAlgorithm
from spooler.seal.broker_keys import BadName
from spooler.seal.rotation import KeyUse
from spooler.seal.token import TokenError
from spooler.wire.files import AlreadyThere

BrokersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--broker", help="A node of the broker, by the name that homes and halls connect to; may be repeated."
    ),
]
BrokerAddressOption = Annotated[
    list[str] | None,
    typer.Option("--broker-address", help="Another name or address of a new --broker; may be repeated."),
]

app = typer.Typer(no_args_is_help=True, help="密钥与信任 · Keys, certificates and the trust directory.")


@app.callback()
def _group() -> None:
    """密钥与信任 · Keys, certificates and the trust directory."""


@app.command()
def init(
    directory: Annotated[Path, typer.Option("--dir", help="Where keys and trust records are kept.")],
    registries: Annotated[str, typer.Option(help="登记机构代码，逗号分隔 · Six digits each, comma separated.")] = "",
    halls: Annotated[str, typer.Option(help="大厅，逗号分隔 · <county>-NN each, comma separated.")] = "",
    seal_algorithm: Annotated[SealAlgorithm, typer.Option(help="Algorithm of the seals.")] = SealAlgorithm.RSA_3072,
    name: Annotated[list[str] | None, typer.Option(help="ID=NAME of a registry or hall; may be repeated.")] = None,
    province: Annotated[list[str] | None, typer.Option(help="ID=黑: the province in its numbers.")] = None,
    place: Annotated[list[str] | None, typer.Option(help="ID=望奎县: the place string in its numbers.")] = None,
    broker: BrokersOption = None,
    broker_address: BrokerAddressOption = None,
) -> None:
    """Make the keys of registries and halls, and the trust records that name them. Nothing is ever overwritten.

    Also their certificates at the broker (user home, and one user a hall), and with --broker the broker's own (docs/broker.md).

    Run it again with new names only to add registries or halls. Every registry is granted every hall (certspool grant).

    Example: certspool pki init --dir /etc/certspool/pki --registries 231221,231202 --halls 231282-01,231283-01
    """
    ids, hall_ids = _split(registries), _split(halls)
    if not ids and not hall_ids:
        _fail("name at least one of --registries and --halls", 2)
    names = _pairs(name)
    try:
        pki.init(
            directory,
            [_registry(id_, names, _pairs(province), _pairs(place)) for id_ in ids],
            [_hall(id_, names) for id_ in hall_ids],
            now=datetime.now(UTC),
            algorithm=seal_algorithm,
            servers=[pki.NewServer(node, tuple(broker_address or ())) for node in broker or ()],
            signed=True,
        )
    except (AlreadyThere, BadName) as e:
        _fail(str(e), 1)
    typer.echo(f"{directory}: {len(ids)} registries and {len(hall_ids)} halls added; trust/ goes to every machine")


@app.command()
def issue(
    directory: Annotated[Path, typer.Option("--dir", help="Where keys and trust records are kept.")],
    registry: Annotated[str, typer.Option(help="登记机构代码 · The registry whose key it is.")] = "",
    hall: Annotated[str, typer.Option(help="大厅 · The hall whose key it is.")] = "",
    home: Annotated[str, typer.Option(help="登记机构端 · The home's user at the broker: its key --key broker.")] = "",
    broker: Annotated[str, typer.Option(help="A node of the broker: key and certificate of its own.")] = "",
    broker_address: BrokerAddressOption = None,
    key: Annotated[KeyUse | None, typer.Option(help="Which key is renewed; none for somebody new.")] = None,
    put_in_use: Annotated[
        bool, typer.Option("--activate", help="Put the key issued before in the old one's place.")
    ] = False,
    overlap_days: Annotated[int, typer.Option(min=1, help="How long the old key is still believed.")] = 30,
    lead_hours: Annotated[int, typer.Option(min=0, help="A wrap key only: when homes begin to use it.")] = 24,
    seal_algorithm: Annotated[SealAlgorithm, typer.Option(help="Algorithm of a seal.")] = SealAlgorithm.RSA_3072,
    name: Annotated[str, typer.Option(help="Somebody new only: the name.")] = "",
    province: Annotated[str, typer.Option(help="A new registry only: 黑, the province in its numbers.")] = "",
    place: Annotated[str, typer.Option(help="A new registry only: 望奎县, the place in its numbers.")] = "",
    pkcs11: ModuleOption = None,
    token: LabelOption = "",
    pin_file: PinFileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """颁发或轮换密钥 · All keys of a new registry or hall, or the next key of one that is there, without downtime (docs/keys.md).

    The next key is written beside the old one and believed from now on; carry trust/ to every machine, then run it again with --activate.

    With --pkcs11 a seal or ticket key is made in a token and stays there; the file then holds its certificate, or its public half.

    Example: certspool pki issue --dir /etc/certspool/pki --registry 231221 --key seal

    Example: certspool pki issue --dir PKI --registry 231221 --key seal --pkcs11 /usr/lib/softhsm/libsofthsm2.so --token T --pin-file PIN
    """
    in_token = token_of(pkcs11, token, pin_file)
    if in_token is not None and (key not in rotation.IN_TOKEN or not registry or put_in_use):
        _fail("--pkcs11 makes a key: --registry, and --key seal or ticket", 2)
    owner = _one_of(registry=registry, hall=hall, home=home, broker=broker)
    try:
        if broker:
            told = _server(directory, broker, broker_address or [])
        elif put_in_use:
            told = _activated(directory, owner, _of(owner, registry, _needed(key)))
        elif key is KeyUse.BROKER and not broker_keys.place_of(directory, owner).exists():
            told = _first_client(directory, owner, _of(owner, registry, key))
        elif key is None and home:
            _fail("a home's user has one key: --key broker", 2)
        elif key is None:
            told = _newcomer(directory, registry, hall, seal_algorithm, name, province, place)
        else:
            issued = rotation.issue(
                directory,
                owner,
                _of(owner, registry, key),
                now=datetime.now(UTC),
                overlap=timedelta(days=overlap_days),
                lead=timedelta(hours=lead_hours),
                algorithm=seal_algorithm,
                token=in_token,
            )
            told = _issued(issued)
    except (rotation.NoSuchKey, AlreadyThere, BadName, TokenError, OSError) as e:
        _fail(str(e), 1)
    _tell(told, as_json)


@app.command()
def revoke(
    directory: Annotated[Path, typer.Option("--dir", help="Where keys and trust records are kept.")],
    registry: Annotated[str, typer.Option(help="登记机构代码 · The registry whose key it is.")] = "",
    hall: Annotated[str, typer.Option(help="大厅 · The hall whose key it is; without --key all of its keys.")] = "",
    home: Annotated[str, typer.Option(help="登记机构端 · The home's user at the broker: all of its keys there.")] = "",
    key: Annotated[KeyUse | None, typer.Option(help="Which key.")] = None,
    key_id: Annotated[str, typer.Option(help="The beginning of its id, where there are several.")] = "",
    compromised: Annotated[
        bool, typer.Option("--compromised", help="A seal in other hands: nothing under it is believed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """吊销密钥 · End a key at once. Carry trust/ to every machine: each reads it again within ten seconds (docs/keys.md).

    What a seal sealed before stays verifiable; what is sealed with it from now on is refused. --compromised refuses both.

    Example: certspool pki revoke --dir /etc/certspool/pki --registry 231221 --key seal --key-id 3f2a91
    """
    owner = _one_of(registry=registry, hall=hall, home=home)
    uses = [_of(owner, registry, _needed(key))] if registry or key else _all_of(directory, owner, home)
    now = datetime.now(UTC)
    try:
        done = [
            rotation.revoke(directory, owner, use, now=now, key_id=key_id or None, compromised=compromised)
            for use in uses
        ]
    except (rotation.NoSuchKey, OSError) as e:
        _fail(str(e), 1)
    _tell(
        {
            "owner": owner,
            "revoked": [{"key": one.use, "id": one.key_ids[0], "remaining": one.remaining} for one in done],
            "next": "trust/ goes to every machine"
            + ("" if all(one.remaining for one in done) else "; no key is left: issue one"),
        },
        as_json,
    )


def _all_of(directory: Path, owner: str, home: str) -> list[KeyUse]:
    """Return what is revoked without being named: a hall may have no key at the broker."""
    if home:
        return [KeyUse.BROKER]
    has_one = (directory / broker_keys.CLIENTS / f"{broker_keys.user_of(owner)}.pem").exists()
    return [*rotation.OF_HALL, *([KeyUse.BROKER] if has_one else [])]


def _one_of(**owners: str) -> str:
    named = [owner for owner in owners.values() if owner]
    if len(named) != 1:
        _fail(f"name one of {', '.join(f'--{option}' for option in owners)}", 2)
    return named[0]


def _needed(key: KeyUse | None) -> KeyUse:
    if key is None:
        _fail("say which with --key", 2)
    return key


def _of(owner: str, registry: str, key: KeyUse) -> KeyUse:
    if key not in (
        (*rotation.OF_REGISTRY, KeyUse.GRANT) if registry else (*rotation.OF_HALL, KeyUse.GRANT, KeyUse.BROKER)
    ):
        _fail(
            f"{owner} has no {key} key: a registry has seal, ticket and grant, a hall report, wrap, grant and broker", 2
        )
    return key


def _newcomer(
    directory: Path, registry: str, hall: str, algorithm: SealAlgorithm, name: str, province: str, place: str
) -> dict[str, object]:
    owner = registry or hall
    names = {owner: name} if name else {}
    pki.init(
        directory,
        [_registry(owner, names, {owner: province} if province else {}, {owner: place} if place else {})]
        if registry
        else [],
        [_hall(owner, names)] if hall else [],
        now=datetime.now(UTC),
        algorithm=algorithm,
        signed=True,
    )
    return {"owner": owner, "next": "trust/ goes to every machine, its credentials to its own"}


def _server(directory: Path, node: str, names: Sequence[str]) -> dict[str, object]:
    files = broker_keys.add_server(directory, node, names, datetime.now(UTC))
    return {
        "owner": node,
        "key": "broker",
        "file": str(files),
        "next": "the files go to the broker's machine; trust/ everywhere",
    }


def _first_client(directory: Path, owner: str, key: KeyUse) -> dict[str, object]:
    """A hall or home that has none yet: one from before there were certificates at the broker."""
    if broker_keys.user_of(owner) == owner:
        file = broker_keys.add_home(directory, owner, datetime.now(UTC))
    elif (directory / f"trust/halls/{owner}.json").exists():
        file = broker_keys.add_hall(directory, owner, datetime.now(UTC))
    else:
        raise rotation.NoSuchKey(f"there is no hall {owner} in {directory}")
    return {"owner": owner, "key": key, "file": str(file), "next": "the file goes to its machine; trust/ everywhere"}


def _activated(directory: Path, owner: str, key: KeyUse) -> dict[str, object]:
    file = rotation.activate(directory, owner, key)
    told = _AFTER_IN_TOKEN if file.name.endswith(rotation.IN_TOKEN.get(key, "\0")) else _AFTER_ACTIVATION[key]
    return {"owner": owner, "key": key, "file": str(file), "next": told}


def _issued(issued: rotation.Issued) -> dict[str, object]:
    ends = issued.former_ends
    return {
        "owner": issued.owner,
        "key": issued.use,
        "id": issued.key_id,
        "file": str(issued.file),
        "not_before": issued.not_before.isoformat(),
        "former_until": None if ends is None else ends.isoformat(),
        "next": _AFTER_ISSUE[issued.use],
    }


_TRUST_FIRST = "trust/ goes to every machine; a minute later run it again with --activate"
_AFTER_ISSUE = {
    KeyUse.SEAL: _TRUST_FIRST,
    KeyUse.TICKET: _TRUST_FIRST,
    KeyUse.REPORT: _TRUST_FIRST,
    KeyUse.GRANT: _TRUST_FIRST,
    KeyUse.BROKER: "run it again with --activate",
    KeyUse.WRAP: "the file goes to its hall, first in wrap_key_credentials, and the agent is restarted, before trust/ goes to the homes",
}
_AFTER_IN_TOKEN = (
    "the file goes to the home, which uses it at once; the first time set seal_pkcs11 or ticket_pkcs11, and restart it"
)
_AFTER_ACTIVATION = {
    KeyUse.SEAL: "the file goes to the home, which uses it at once",
    KeyUse.TICKET: "the file goes to the home, which uses it at once",
    KeyUse.REPORT: "the file goes to the hall; restart its agent",
    KeyUse.GRANT: "the file goes to whoever signs grants; those that the old one signed hold",
    KeyUse.BROKER: "the file goes to its machine, which uses it at the next connection; trust/ goes to every machine",
    KeyUse.WRAP: "both files stay in wrap_key_credentials until the last order of the old key's time has ended",
}


def _tell(told: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for word, value in told.items():
            typer.echo(f"{word}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(options: Sequence[str] | None) -> dict[str, str]:
    """Return {ID: VALUE} of repeated ID=VALUE options."""
    pairs = [option.partition("=") for option in options or ()]
    for id_, equals, value in pairs:
        if not (id_ and equals and value):
            _fail("write it as ID=VALUE", 2)
    return {id_: value for id_, _, value in pairs}


def _registry(
    id_: str, names: Mapping[str, str], provinces: Mapping[str, str], places: Mapping[str, str]
) -> pki.NewRegistry:
    county = COUNTIES.get(id_)
    if not fullmatch(r"\d{6}", id_):
        _fail(f"{id_} is not a registry: six digits", 2)
    if county is None and not (id_ in provinces and id_ in places):
        _fail(f"{id_} is not in the list of counties: give --province {id_}=… and --place {id_}=…", 2)
    default = county.name if county else places[id_]
    return pki.NewRegistry(
        id=id_,
        name=names.get(id_, default),
        province=provinces[id_] if id_ in provinces or county is None else county.province,
        place=places[id_] if id_ in places or county is None else county.place,
    )


def _hall(id_: str, names: Mapping[str, str]) -> pki.NewHall:
    if not fullmatch(r"\d{6}-\d{2}", id_):
        _fail(f"{id_} is not a hall: <county>-NN", 2)
    county = COUNTIES.get(id_[:6])
    return pki.NewHall(id=id_, name=names.get(id_, f"{county.name if county else id_[:6]} {id_[7:]}"))


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
