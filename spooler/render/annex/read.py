"""Step 2c: read all annexes of a request, gathering what is wrong with each under its own name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from spooler.render.annex.normal import normalise
from spooler.render.annex.pdf import MOST_PAGES
from spooler.render.annex.values import FRAME_ROLES, BadAnnex, NormalAnnex
from spooler.render.codes import RenderCode
from spooler.render.content import AnnexFile, Finding


@dataclass(frozen=True)
class Annexes:
    """What is drawn in the frame, and what follows on plain paper."""

    framed: tuple[NormalAnnex, ...]
    listed: tuple[NormalAnnex, ...]
    refused: tuple[Finding, ...]
    noted: tuple[Finding, ...]


Read = Callable[[AnnexFile], NormalAnnex]


def read_annexes(files: Sequence[AnnexFile], *, has_frame: bool, read: Read = normalise) -> Annexes:
    """Return the annexes in the order they are printed; they may be printed only if nothing is refused."""
    good: list[NormalAnnex] = []
    refused: list[Finding] = []
    noted: list[Finding] = []
    for i, file in enumerate(files):
        try:
            annex = replace(read(file), nth=i, scale=file.scale)
            _refuse_without_room(annex, good, has_frame)
        except BadAnnex as e:
            refused.append(Finding(f"annexes.{i}.{e.part}" if e.part else f"annexes.{i}", e.code, e.message))
            continue
        good.append(annex)
        noted += [Finding(f"annexes.{i}", code, message) for code, message in annex.notes]
    # The parcel map always comes first, whatever the order in the request.
    framed = tuple(annex for role in FRAME_ROLES for annex in good if annex.role is role)
    listed = tuple(annex for annex in good if annex.role not in FRAME_ROLES)
    return Annexes(framed, listed, tuple(refused), tuple(noted))


def _refuse_without_room(annex: NormalAnnex, before: Sequence[NormalAnnex], has_frame: bool) -> None:
    if annex.role in FRAME_ROLES and not has_frame:
        raise BadAnnex(
            RenderCode.ROLE_NOT_ALLOWED,
            "登记证明没有附图页。A document of this kind has no place for a map or plan.",
            "role",
        )
    if annex.role in FRAME_ROLES and any(other.role is annex.role for other in before):
        raise BadAnnex(
            RenderCode.ROLE_NOT_ALLOWED, "同一用途的附图只能有一份。Only one annex of this role has a place.", "role"
        )
    if sum(len(other.sides) for other in (*before, annex) if other.role not in FRAME_ROLES) > MOST_PAGES:
        raise BadAnnex(
            RenderCode.ANNEX_PAGES,
            f"清单与附件合计不得超过 {MOST_PAGES} 页。Lists have at most {MOST_PAGES} pages in all.",
        )
