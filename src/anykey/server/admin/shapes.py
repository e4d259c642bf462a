"""What all inputs and answers of these APIs have in common.

Law: an answer has the fields that its class lists and no others, so a new column of a table never shows by itself; an input with
a field that its class does not list is refused by the name of that field.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from anykey.accounts.amounts import AMOUNT_NANO_MAX, nano_of, usd_text
from anykey.server.admin.refusals import Refusal
from anykey.storage.paging import LIMIT_DEFAULT, LIMIT_MAX, Page

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(max_length=256, pattern=_PRINTABLE)]
"""A line of up to 256 characters, without control characters."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_PRINTABLE)]
"""The same, not empty."""
Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Id = Annotated[str, Path(min_length=1, max_length=256, pattern=_PRINTABLE)]
"""A part of a path."""
Seconds = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""A moment as Unix seconds, before the year 10000."""
Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
Count = Annotated[int, Field(ge=1, le=10**12)]
Globs = Annotated[list[Word], Field(max_length=256)]
"""Patterns of models' names, with `*` for any characters."""
Usd = Annotated[str, StringConstraints(max_length=24, pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
"""An amount of USD as decimal text, exact to the nano-USD. Never a JSON number: those are binary fractions."""


class Asked(BaseModel):
    """The body of a call: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Filter(BaseModel):
    """The query of a list: where a page begins, how long it is, and by subclass which rows it has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    cursor: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        None, description="`next` of the page before; none: the first page"
    )
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT


class Told(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Listed(Told, Generic[T]):
    """A page of a list. `next` is the cursor of the page after it; null: this is the last."""

    items: list[T]
    next: str | None = None


Paged = Annotated[Filter, Query()]
"""The parameter of a list that has no filter of its own."""


def listed(page: Page[R], show: Callable[[R], T]) -> Listed[T]:
    """The page as it is told."""
    return Listed(items=[show(row) for row in page.items], next=page.next)


def usd(nano: int | None) -> str | None:
    """An amount as it is told beside its nano-USD."""
    return None if nano is None else usd_text(nano)


def nano(text: str, field: str) -> int:
    """The nano-USD of a `Usd`. Raises Refusal (422) naming `field`."""
    try:
        return nano_of(text)
    except ValueError:
        largest = usd_text(AMOUNT_NANO_MAX)
        raise Refusal(422, "bad_amount", f"{field}: must be a decimal amount of USD up to {largest}", field) from None


def said(body: BaseModel, **empties: Any) -> dict[str, Any]:
    """Those of the named fields that the caller sent, as a verb takes them: lists as tuples, and for null the value that takes
    away what was said (`empties`; None: there is no taking away, and null says nothing)."""
    found: dict[str, Any] = {}
    for name, empty in empties.items():
        if name in body.model_fields_set:
            value = getattr(body, name)
            value = empty if value is None else value
            if value is not None:
                found[name] = tuple(cast("list[object]", value)) if isinstance(value, list) else value
    return found


def strings(values: Iterable[str] | None) -> list[str] | None:
    """A tuple of texts, or None, as it is told."""
    return None if values is None else list(values)
