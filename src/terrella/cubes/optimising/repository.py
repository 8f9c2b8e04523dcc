"""The Icechunk repository of one collection: one writer, work on a branch of its own, `main` moves when all is done.

Readers hold a snapshot of `main` and never see half of anything. How far the work is stands in the attributes of the
root group, and so is committed together with the tiles that it counts: after a kill the next run goes on from there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icechunk
import zarr

from terrella.cubes.optimising.places import lock_of
from terrella.errors import Conflict, Unreadable

MAIN, BUILDING = "main", "building"
_STATE = "terrella:optimised"
_KEPT = timedelta(hours=1)
"""Chunks of replaced copies stay this long for those who are reading them."""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the lock of a repository: Icechunk on local files is not safe for two writers. Raises Conflict."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock_of(folder).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Conflict(
                f"Another process ({file.read().strip() or 'unknown'}) is optimising {folder.name!r}. Wait until it is "
                f"done, or stop it: what it has finished is kept."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Work:
    """Work on one version of a collection; call with `only_writer` held. Raises Unreadable for a broken repository.

    `state` is JSON that is committed with the data: {'version': ..., 'arrays': {path: {...}}}.
    """

    def __init__(self, folder: Path, version: str) -> None:
        icechunk.set_logs_filter("error")  # it warns of commits from several processes, which the lock prevents
        try:
            self._repository = icechunk.Repository.open_or_create(icechunk.local_filesystem_storage(str(folder)))
            self._begin(version)
        except icechunk.IcechunkError as error:
            raise Unreadable(f"{folder} cannot be used: {_line(error)}. Delete the folder to start anew.") from error

    def _begin(self, version: str) -> None:
        """Go on with the branch of work where it is for this version, else start from what is published of it."""
        branches = self._repository.list_branches()
        if BUILDING in branches and self._state(BUILDING).get("version") != version:
            self._repository.delete_branch(BUILDING)
            branches = self._repository.list_branches()
        if BUILDING not in branches:
            is_same = self._state(MAIN).get("version") == version
            first = list(self._repository.ancestry(branch=MAIN))[-1].id
            start = self._repository.lookup_branch(MAIN) if is_same else first
            self._repository.create_branch(BUILDING, start)
        self.state = self._state(BUILDING) or {"version": version, "arrays": {}}
        self._session = self._repository.writable_session(BUILDING)

    def _state(self, branch: str) -> dict[str, Any]:
        store = self._repository.readonly_session(branch).store
        try:
            root = zarr.open_group(store, mode="r")
        except FileNotFoundError:
            return {}
        found: Any = root.attrs.get(_STATE, {})
        return dict(found)

    @property
    def store(self) -> Any:
        """To write into; another one after each commit."""
        return self._session.store

    def commit(self, message: str) -> None:
        """Keep all that was written, and `state`. Raises Unreadable where it cannot be written: a full disk, mostly."""
        try:
            zarr.open_group(self.store, mode="a").attrs[_STATE] = self.state
            self._session.commit(message)
        except icechunk.IcechunkError as error:
            raise Unreadable(f"The copy cannot be written: {_line(error)}.") from error
        self._session = self._repository.writable_session(BUILDING)

    def abandon(self, path: str) -> None:
        """Take out an array that was begun once and will not be finished now, with its overviews."""
        root = zarr.open_group(self.store, mode="a")
        layout, _, name = path.partition("/")
        groups = [one for one in self.state.get("groups", []) if one == layout or one.startswith(f"{layout}/")]
        for group in groups:
            if f"{group}/{name}" in root:
                del root[f"{group}/{name}"]
        del self.state["arrays"][path]
        self.commit(f"{path}: given up")

    def publish(self) -> str:
        """Make the committed work what readers see; returns its snapshot. What it replaces goes after an hour."""
        snapshot = str(self._repository.lookup_branch(BUILDING))
        if snapshot != str(self._repository.lookup_branch(MAIN)):
            self._repository.reset_branch(MAIN, snapshot)
        self._repository.delete_branch(BUILDING)
        with suppress(icechunk.IcechunkError):  # only costs disk space
            before = datetime.now(UTC) - _KEPT
            self._repository.expire_snapshots(before)
            self._repository.garbage_collect(before)
        return snapshot


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
