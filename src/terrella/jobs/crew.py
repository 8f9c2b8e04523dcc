"""A crew: worker processes that are started, replaced when they die, and stopped together."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from terrella.errors import TerrellaError
from terrella.jobs import claims
from terrella.jobs.processes import this_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from terrella.jobs.rows import Rows

log = structlog.get_logger("terrella.jobs")

_LOOK = 0.2
_SHORT_LIFE = 5.0
"""Seconds: a worker that dies sooner is replaced later and later, so that a broken site does not spin."""
_LONGEST_PAUSE = 30.0
_PATIENCE = 12.0
"""Seconds that stopping workers get before they are killed."""


class Crew:
    """Keeps `count` processes of `command` running. `rows` opens the tables, to free the jobs of dead workers."""

    def __init__(self, command: Sequence[str], count: int, rows: Callable[[], Rows]) -> None:
        self._command = list(command)
        self._count = count
        self._rows = rows
        self._after = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crew", daemon=True)

    def start(self, after: float = 0.0) -> None:
        """Start the workers, `after` some seconds, and a thread that looks after them."""
        self._after = after
        if self._count:
            self._thread.start()

    def stop(self) -> None:
        """Let every worker hand its job back and end; kill those that do not."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def end(self) -> None:
        """Begin to stop. Safe in a signal handler."""
        self._stopping.set()

    def wait(self) -> None:
        """Until `end` or `stop`."""
        while not self._stopping.wait(1):  # short waits: signals are looked at in between
            pass

    def _run(self) -> None:
        slots = [_Slot(self._command) for _ in range(self._count)]
        self._stopping.wait(self._after)
        try:
            while not self._stopping.wait(_LOOK):
                for slot in slots:
                    self._look_after(slot)
        finally:
            _end(slots)

    def _look_after(self, slot: _Slot) -> None:
        if slot.process is None:
            if time.monotonic() >= slot.next_start:
                slot.start()
            return
        status = slot.process.poll()
        if status is None:
            return
        pid = slot.process.pid
        slot.died()
        log.warning("worker died", pid=pid, status=status, again_in=round(slot.next_start - time.monotonic(), 1))
        with suppress(TerrellaError):  # its lease ends by itself, only later
            self._rows().write(lambda c: claims.forsake_process(c, this_host(), pid))


class _Slot:
    """The place of one worker."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.next_start = 0.0
        self._began = 0.0
        self._pause = 0.0

    def start(self) -> None:
        # a group of its own: Ctrl-C ends the server, which then ends its workers in order
        self.process = subprocess.Popen(self._command, process_group=0)  # noqa: S603 -- our own command
        self._began = time.monotonic()

    def died(self) -> None:
        """It is started again at once, or after a pause that grows when it never lives long."""
        is_short = time.monotonic() - self._began < _SHORT_LIFE
        self._pause = min(_LONGEST_PAUSE, max(0.5, self._pause * 2)) if is_short else 0.0
        self.next_start = time.monotonic() + self._pause
        self.process = None


def _end(slots: list[_Slot]) -> None:
    running = [slot.process for slot in slots if slot.process is not None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    last = time.monotonic() + _PATIENCE
    for process in running:
        try:
            process.wait(max(0.1, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
