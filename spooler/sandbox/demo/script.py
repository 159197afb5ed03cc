"""Who asks for what, and where it is to be printed: the project's samples, spread over the demo's halls."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spooler import catalog
from spooler.sandbox import samples
from spooler.sandbox.foundation import ground_for
from spooler.sandbox.site import Site, choose
from spooler.wire.messages import Stock

REGISTRIES = ("231221", "231202")
HALLS = ("231282-01", "231283-01")
TOWNSHIP = "231282-02"  # a proof printer and nothing else
BLANKS = 60
SENT_TO_TOWNSHIP = ("mortgage", "objection", "sale-loan")
WRONG = ("no-glyph", "check-digit", "wrong-hash")


@dataclass(frozen=True)
class Errand:
    """One request, and how people call it."""

    name: str
    body: dict[str, Any]

    @property
    def request_id(self) -> str:
        return str(self.body["request_id"])

    @property
    def kind(self) -> str:
        return str(self.body["document"]["kind"])

    @property
    def number(self) -> str:
        document = self.body["document"]
        number = {ours: document["number"].get(ours, document["number"].get(code)) for ours, code in _HEADER}
        return catalog.number_text(self.kind, **number)

    @property
    def route(self) -> str:
        hall = str(self.body["hall"])
        return f"{_place(self.body['registry'])} → {_place(hall[:6])}{hall[6:]}"


_HEADER = tuple(catalog.HEADER_CODES.items())


def site(directory: Path) -> Site:
    """Return the demo's sandbox: two registries, two halls with three printers, one township point with one."""
    return choose(
        directory,
        ground_for(directory),
        registries=REGISTRIES,
        halls=(*HALLS, TOWNSHIP),
        blanks=BLANKS,
        stocks={TOWNSHIP: (Stock.PROOF,)},
    )


def errands() -> list[Errand]:
    """Return the good requests, as a morning would bring them."""
    return [
        Errand(path.stem, _at_the_township(path.stem, _with_content(json.loads(path.read_text()))))
        for path in sorted((samples.directory() / "good").glob("*.json"))
    ]


def wrong_errands() -> Iterator[tuple[Errand, str]]:
    """Yield a few requests that must be refused, each with the field that is at fault."""
    for name in WRONG:
        sample = json.loads((samples.directory() / "bad" / f"{name}.json").read_text())
        yield Errand(name, _with_content(sample["request"])), sample["expect"]["field"]


def _with_content(request: dict[str, Any]) -> dict[str, Any]:
    """Put the annexes' bytes into the request."""
    annexes = samples.directory() / "annexes"
    inline = [
        {**annex, "content": base64.b64encode((annexes / annex["name"]).read_bytes()).decode()}
        for annex in request.get("annexes", [])
    ]
    return {**request, "annexes": inline}


def _at_the_township(name: str, request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "hall": TOWNSHIP} if name in SENT_TO_TOWNSHIP else request


def _place(county: str) -> str:
    return catalog.COUNTIES[county].name
