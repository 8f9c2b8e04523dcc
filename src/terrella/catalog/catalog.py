"""One question to all providers together: answers in one order, no item twice, and how each source did.

With one provider every call goes straight through. A source that is late or fails makes an answer partial, and
saying so; it never makes it fail, unless no source answers at all.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import orjson

from terrella.access.rules import readers, wanted
from terrella.catalog.merging import Merge, merged_aggregations, merged_queryables
from terrella.contracts.providers import Opens, Registers, Searches
from terrella.errors import Denied, Invalid, NotFound, ProviderUnavailable, TerrellaError, Unsupported
from terrella.model.caller import OPERATOR
from terrella.model.search import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from terrella.contracts.cubes import CubeIndex, Origin
    from terrella.model.caller import Caller
    from terrella.model.search import Aggregation, CollectionSearch, Page, Search
    from terrella.model.stac import Document
    from terrella.settings import Rule

_TOGETHER = 16


class Catalog:
    """`providers` in order of precedence: of an item that two have, the first one's is shown.

    What is written goes to the first that takes it. `deadline` is how many seconds an answer waits for the slowest.
    Providers keep to what the caller's grants open; `rules`, from which those came, are here to say whom to ask.
    """

    name = "catalog"

    def __init__(self, providers: Mapping[str, object], *, deadline: float = 10.0, rules: Sequence[Rule] = ()) -> None:
        self._searched: dict[str, Searches] = {n: one for n, one in providers.items() if isinstance(one, Searches)}
        self._opened: dict[str, Opens] = {n: one for n, one in providers.items() if isinstance(one, Opens)}
        self._home = next((one for one in providers.values() if isinstance(one, Registers)), None)
        self._only = next(iter(self._searched.values())) if len(self._searched) == 1 else None
        self._deadline = deadline
        self._rules = rules
        self._threads = ThreadPoolExecutor(_TOGETHER, "catalog") if self._only is None else None

    def close(self) -> None:
        """Stop waiting for anyone. The providers stay open: whoever opened them closes them."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def search(self, caller: Caller, query: Search) -> Page:
        """Items in order, one page. Raises Invalid; ProviderUnavailable when nobody answers."""
        if self._only is not None:
            return self._only.search(caller, query)
        return self._merged(Merge.of_items(query, self._searched), lambda one, part: one.search(caller, part))

    def collections(self, caller: Caller, query: CollectionSearch) -> Page:
        """Collections in order, one page."""
        if self._only is not None:
            return self._only.collections(caller, query)
        return self._merged(
            Merge.of_collections(query, self._searched), lambda one, part: one.collections(caller, part)
        )

    def collection(self, caller: Caller, collection: str) -> bytes:
        """One collection's document. Raises NotFound with the nearest names."""
        if self._only is not None:
            return self._only.collection(caller, collection)
        return self._first(lambda one: one.collection(caller, collection))

    def item(self, caller: Caller, collection: str, item: str) -> bytes:
        """One item's document. Raises NotFound."""
        if self._only is not None:
            return self._only.item(caller, collection, item)
        return self._first(lambda one: one.item(caller, collection, item))

    def count(self, caller: Caller, query: Search) -> int:
        """How many items match in all sources (an item that two have counts twice)."""
        if self._only is not None:
            return self._only.count(caller, query)
        return sum(self._all(lambda one: one.count(caller, query)))

    def queryables(self, caller: Caller, collections: Sequence[str]) -> Document:
        """JSON Schema of the properties to filter by."""
        if self._only is not None:
            return self._only.queryables(caller, collections)
        return merged_queryables(self._known(lambda one: one.queryables(caller, collections)))

    def aggregate(self, caller: Caller, query: Search, names: Sequence[str]) -> tuple[Aggregation, ...]:
        """STAC API aggregations over what matches."""
        if self._only is not None:
            return self._only.aggregate(caller, query, names)
        return merged_aggregations(self._all(lambda one: one.aggregate(caller, query, names)))

    def asked[T](self, call: Callable[[str, Searches], T]) -> tuple[dict[str, T], tuple[Outcome, ...]]:
        """What each source says by itself, by name, and how each did; those that failed or are late are left out.

        Raises what was wrong when none answers.
        """
        if self._only is not None:
            (name,) = self._searched
            began = time.monotonic()
            answer = call(name, self._only)
            return {name: answer}, (Outcome(name, "ok", time.monotonic() - began),)
        answers, outcomes, errors = self._ask({name: partial(call, name) for name in self._searched})
        _raise_if_none(answers, errors)
        return answers, tuple(outcomes)

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]:
        """The block index of a collection's cube, from the provider that has it.

        Raises NotFound; Denied unless all of it may be read; Unsupported.
        """
        missing: NotFound | None = None
        for provider in self._opened.values():
            try:
                return provider.open(caller, collection)
            except NotFound as error:
                missing = missing or error
            except Denied as error:
                raise self.refusal(collection, error.message) from None
        raise missing or Unsupported("No provider of this site opens cubes.")

    def refusal(self, collection: str, why: str) -> Denied:
        """An error for somebody who may know of a collection and not read it, with the roles that open all of it."""
        document = orjson.loads(self.collection(OPERATOR, collection))  # for the rules, not to be shown
        roles = readers([rule for rule in self._rules if not rule.items], document)
        return Denied(f"{why} {wanted(roles)}", parameter="collection", details={"roles": list(roles)})

    def put_collection(self, caller: Caller, collection: Document) -> None:
        """Create or replace a collection; its items stay."""
        self._registrar().put_collection(caller, collection)

    def put_items(self, caller: Caller, items: Iterable[Document]) -> int:
        """Create or replace items; returns how many. Raises NotFound for a collection."""
        return self._registrar().put_items(caller, items)

    def remove_items(self, caller: Caller, collection: str, items: Iterable[str]) -> int:
        """Take items away; returns how many there were."""
        return self._registrar().remove_items(caller, collection, items)

    def remove_collection(self, caller: Caller, collection: str) -> None:
        """Take a collection and all that belongs to it away. Raises NotFound."""
        self._registrar().remove_collection(caller, collection)

    def _registrar(self) -> Registers:
        if self._home is None:
            raise Unsupported("No provider of this site takes new items.")
        return self._home

    def _merged(self, merge: Merge, call: Callable[[Searches, Any], Page]) -> Page:
        pages, outcomes, errors = self._ask({name: _bound(call, part) for name, part in merge.questions.items()})
        _raise_if_none(pages, errors)
        return merge.page(pages, tuple(outcomes))

    def _first(self, call: Callable[[Searches], bytes]) -> bytes:
        """The answer of the first source that has it. Raises NotFound when all say that they have not."""
        answers, _, errors = self._ask(dict.fromkeys(self._searched, call))
        for name in self._searched:
            if name in answers:
                return answers[name]
        for error in errors.values():
            if not isinstance(error, NotFound):
                raise error
        missing = sorted(errors.values(), key=lambda error: "Did you mean" not in error.message)
        raise next(iter(missing), NotFound("No provider of this site is searched."))

    def _all[T](self, call: Callable[[Searches], T]) -> list[T]:
        """Answers of all sources. Raises what one of them raised: a number that lacks a part would be wrong."""
        answers, _, errors = self._ask(dict.fromkeys(self._searched, call))
        for error in errors.values():
            raise error
        return list(answers.values())

    def _known[T](self, call: Callable[[Searches], T]) -> list[T]:
        answers, _, errors = self._ask(dict.fromkeys(self._searched, call))
        _raise_if_none(answers, errors)
        return list(answers.values())

    def _ask[T](
        self, calls: Mapping[str, Callable[[Searches], T]]
    ) -> tuple[dict[str, T], list[Outcome], dict[str, TerrellaError]]:
        """Ask several at once and wait until the deadline: answers, how each did, and what went wrong."""
        if self._threads is None:
            return {}, [], {}
        began = time.monotonic()
        ended: dict[str, float] = {}

        def timed(name: str) -> T:
            try:
                return calls[name](self._searched[name])
            finally:
                ended[name] = time.monotonic() - began

        futures = {name: self._threads.submit(timed, name) for name in calls}
        done, _ = wait(futures.values(), timeout=self._deadline)
        answers: dict[str, T] = {}
        outcomes: list[Outcome] = []
        errors: dict[str, TerrellaError] = {}
        for name, future in futures.items():
            error = _error(future, name, self._deadline) if future in done else _late(future, name, self._deadline)
            if error is None:
                answers[name] = future.result()
                outcomes.append(Outcome(name, "ok", ended[name]))
            else:
                errors[name] = error
                state: Literal["failed", "late"] = "failed" if future in done else "late"
                outcomes.append(Outcome(name, state, ended.get(name, self._deadline), error.message))
        return answers, outcomes, errors


def _bound[P](call: Callable[[Searches, P], Page], part: P) -> Callable[[Searches], Page]:
    return lambda one: call(one, part)


def _error(future: Future[Any], name: str, deadline: float) -> TerrellaError | None:
    del deadline
    error = future.exception()
    if error is None or isinstance(error, TerrellaError):
        return error
    return ProviderUnavailable(f"{name}: {type(error).__name__}: {str(error)[:200]}")


def _late(future: Future[Any], name: str, deadline: float) -> TerrellaError:
    future.cancel()
    return ProviderUnavailable(f"{name} did not answer within {deadline:g} s.")


def _raise_if_none(answers: Mapping[str, object], errors: Mapping[str, TerrellaError]) -> None:
    """When nobody answered: what is wrong with the question, or else that nobody is there."""
    if not answers and errors:
        raise next((error for error in errors.values() if isinstance(error, Invalid)), next(iter(errors.values())))
