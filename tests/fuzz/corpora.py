"""Makes the corpora anew, from our own samples, golden files and a seal of its own: `python -m tests.fuzz.corpora`.

What mutation found (`found-…`) stays. The keys that sealed the document are forgotten; what the trust directory says of them is kept
in `sealed/`.
"""

import tempfile
from pathlib import Path

from tests.fuzz.judge import CORPUS, TARGETS, load

SEALED = Path(__file__).parent / "sealed"


def main() -> None:
    if not SEALED.exists():
        _seal()
    for name in TARGETS:
        place = CORPUS / name
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for seed, data in load(name).seeds():
            (place / seed).write_bytes(data)


def _seal() -> None:
    from tests.sealing import HOME, Office

    SEALED.mkdir()
    with tempfile.TemporaryDirectory() as work:
        office = Office.create(Path(work) / "pki")
        (SEALED / "order.pdf").write_bytes(office.order().document)
        for source, name in ((f"registries/{HOME}.json", "registry.json"), ("ca.pem", "ca.pem")):
            (SEALED / name).write_bytes((office.directory / "trust" / source).read_bytes())


if __name__ == "__main__":
    main()
