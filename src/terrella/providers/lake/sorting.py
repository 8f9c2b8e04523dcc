"""What a search sorts by, as terms: nulls always last, ties broken by id and collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.errors import Invalid
from terrella.providers.lake.paging import Term
from terrella.providers.lake.schema import Sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from terrella.model.search import SortKey

_T, _ID, _COLLECTION = Sql("i.t"), Sql("i.id"), Sql("i.collection")
NEWEST_FIRST = (Term(_T, descending=True), Term(_ID), Term(_COLLECTION))
_MOST_KEYS = 10
_COLUMNS = {"datetime": _T, "id": _ID, "collection": _COLLECTION}


def terms_of(keys: Sequence[SortKey], value_of: Callable[[str], Sql]) -> tuple[Term, ...]:
    """Terms of items' sort keys; `value_of` gives a property's value and refuses unknown ones. Raises Invalid."""
    if not keys:
        return NEWEST_FIRST
    check_keys(keys)
    made: list[Term] = []
    for key in keys:
        name = key.field.removeprefix("properties.")
        column = _COLUMNS.get(name)
        if column is not None:
            made.append(Term(column, key.descending))
        else:
            made.extend(_nulls_last(value_of(name), descending=key.descending))
    there = {term.expression.text for term in made}
    return (*made, *(Term(tie) for tie in (_ID, _COLLECTION) if tie.text not in there))


def check_keys(keys: Sequence[SortKey]) -> None:
    """Raises Invalid when there are too many."""
    if len(keys) > _MOST_KEYS:
        raise Invalid(f"At most {_MOST_KEYS} sort keys, not {len(keys)}.", parameter="sortby")


def _nulls_last(value: Sql, *, descending: bool) -> tuple[Term, Term]:
    return Term(Sql(f"({value.text} is null)", value.values, value.dear)), Term(value, descending)
