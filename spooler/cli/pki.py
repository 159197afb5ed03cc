"""`certspool pki`: keys and trust of a small deployment, made on one machine and carried to the others."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from re import fullmatch
from typing import Annotated, NoReturn

import typer

from spooler.catalog import COUNTIES
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm

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
) -> None:
    """Make the keys of registries and halls, and the trust records that name them. Nothing is ever overwritten.

    Run it again with new names only to add registries or halls. Every registry is granted every hall; narrow trust/grants.json.

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
        )
    except pki.AlreadyThere as e:
        _fail(str(e), 1)
    typer.echo(f"{directory}: {len(ids)} registries and {len(hall_ids)} halls added; trust/ goes to every machine")


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
