"""The catalogue of registration items over HTTP: what this home checks a request's `item` against."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from spooler.api.auth import BEARER, Caller
from spooler.api.openapi import problems
from spooler.api.parts import Parts


class ItemView(BaseModel):
    """`yields` is a kind of document, or `none`; `issuance` what a request for the item must say, where it must."""

    code: str
    name: str
    english: str
    yields: str
    issuance: str | None
    source: str


class Items(BaseModel):
    items: list[ItemView]


def item_router(parts: Parts) -> APIRouter:
    """Return the one call that lists them."""
    router = APIRouter(prefix="/v1/items", tags=["items"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.get("", summary="Registration items, and which document each yields", responses=problems(401, 422))
    def items(
        who: Who,
        kind: Annotated[str, Query(pattern=r"^[a-z_]{1,32}$", description="Only what yields this; `none`.")] = "",
    ) -> Items:
        views = [ItemView(code=code, **item.model_dump()) for code, item in parts.items.items()]
        return Items(items=[view for view in views if kind in ("", view.yields)])

    return router
