"""Where a site answers, and what one shows to be let in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from terrella.errors import Invalid

ANYBODY = "anonymous"
"""What clients that want a key show at sites that let anybody read."""
PLACEHOLDER = "YOUR-KEY"
_PLAIN = re.compile(r"[\w.~:/?#\[\]@!$()*+,;=%-]*", re.ASCII)
"""What addresses, keys and tokens are made of: no quotes, blanks, backslashes or marks of HTML."""


@dataclass(frozen=True, slots=True)
class Address:
    """The base address of a site, without a slash at its end, and a key of the caller; '' where none was given."""

    base: str
    key: str = ""
    is_open: bool = True
    """Whether the site lets people without an account read."""
    home: str = ""
    """Folder of the site, where the reader sits at its machine."""

    def __post_init__(self) -> None:
        """Raises Invalid for what cannot stand between quotes."""
        for name, value in (("address", self.base), ("key", self.key)):
            if not _PLAIN.fullmatch(value):
                raise Invalid(f"The {name} has characters that no {name} has.", parameter=name)

    @property
    def shown(self) -> str:
        """What to show to clients that must have a key."""
        return self.key or (ANYBODY if self.is_open else PLACEHOLDER)

    @property
    def needed(self) -> str:
        """What to show where nothing is an answer too: nothing at sites that are open."""
        return self.key or ("" if self.is_open else PLACEHOLDER)

    @property
    def is_plain(self) -> bool:
        """Whether it is http: some clients have to be told."""
        return self.base.startswith("http://")
