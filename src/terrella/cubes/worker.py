"""The scanning process: reads one file at a time, so that a crash in a native library fails that file alone.

Run as ``python -m terrella.cubes.worker MEMORY``. Requests and answers are pickles, each after its length (8 bytes,
little endian), over standard input and output; what native libraries print goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import IO, Any

import pyproj  # noqa: F401 -- before ecCodes and rasterio: both bundle libproj

from terrella.contracts.loading import load
from terrella.errors import TerrellaError


def send(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value. Raises EOFError when the other side is gone."""
    size = pipe.read(8)
    if len(size) < 8:
        raise EOFError
    data = pipe.read(int.from_bytes(size, "little"))
    return pickle.loads(data)  # noqa: S301 -- from our own process


def _limit_memory(most: int) -> None:
    """A file that makes a library ask for absurd memory gets MemoryError, not the machine's last page."""
    if most and sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _answer(href: str, format_name: str) -> tuple[str, Any]:
    try:
        return "scans", list(load("formats", format_name)().scan(href))
    except TerrellaError as error:
        return "failure", error.message
    except MemoryError:
        return "failure", "Reading it needs more memory than a scanning process may use (reading.scan_memory)."
    except RecursionError:
        return "failure", "It is nested too deeply."
    except Exception as error:  # noqa: BLE001 -- whatever a library raises fails this file, by name
        text = " ".join(str(error).split())[:300]
        return "failure", f"{type(error).__name__}: {text}" if text else type(error).__name__


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we stop
    _limit_memory(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            href, format_name = receive(sys.stdin.buffer)
        except EOFError:
            return
        send(answers, _answer(href, format_name))


if __name__ == "__main__":
    main()
