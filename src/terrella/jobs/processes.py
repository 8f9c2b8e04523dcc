"""The machine and its processes, by names that mean the same to every process that sees the same process ids."""

from __future__ import annotations

import os
import socket
from functools import cache


@cache
def this_host() -> str:
    """Name of the machine and of its space of process ids: containers may share the one and not the other."""
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 -- it is no path
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def is_alive(pid: int) -> bool:
    """Whether there is a process of this id on this host, other than one that ended and is not yet collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 -- may be asked often
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False
