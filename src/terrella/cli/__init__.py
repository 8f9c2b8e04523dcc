"""The command `terrella`: each sub-command is a thin call on a Site."""

from terrella.cli.main import main

__all__ = ["main"]
