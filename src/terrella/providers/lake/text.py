"""Free text as users write it, to an expression of the full-text index. Nothing of theirs is taken as its syntax.

Several terms: any of them. In a term: words side by side must all occur, a "quoted phrase" occurs as it stands, AND
and OR (in capitals) and parentheses join, a minus or NOT in front takes away, a plus in front changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from terrella.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKENS = re.compile(r'"([^"]*)"?|([()])|([^\s()",]+)|(,)')
_MOST_WORDS = 100
_DEEPEST = 20


def expression(terms: Iterable[str]) -> str:
    """Raises Invalid when there is no word in it, too many, or only words to leave out."""
    parts = [part for term in terms for part in [_Term(term).parsed()] if part]
    if not parts:
        raise Invalid("There is no word to look for in the text.", parameter="q")
    return " OR ".join(f"({part})" for part in parts)


class _Term:
    """One term, read from left to right: OR of ANDs of words, phrases and parentheses."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKENS.findall(text)
        self._at = 0
        if len(self._tokens) > _MOST_WORDS:
            raise Invalid(f"The text has more than {_MOST_WORDS} words: use fewer.", parameter="q")

    def parsed(self) -> str:
        parts = []
        while self._at < len(self._tokens):
            parts.append(self._either(0))
            self._at += 1  # a parenthesis that closes nothing
        return " AND ".join(part for part in parts if part)

    def _either(self, depth: int) -> str:
        if depth > _DEEPEST:
            raise Invalid(f"The text has parentheses more than {_DEEPEST} deep.", parameter="q")
        parts = [self._all(depth)]
        while self._is_or():
            self._at += 1
            parts.append(self._all(depth))
        parts = [part for part in parts if part]
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})" if parts else ""

    def _all(self, depth: int) -> str:
        wanted: list[str] = []
        unwanted: list[str] = []
        negative = False
        while self._at < len(self._tokens) and not self._is_or() and self._tokens[self._at][1] != ")":
            phrase, mark, word, _ = self._tokens[self._at]
            self._at += 1
            if word in {"AND", "NOT"}:
                negative = word == "NOT"
                continue
            if mark == "(":
                part = self._either(depth + 1)
                self._at += 1
            else:
                negative = negative or word.startswith("-")
                part = _quoted(phrase or word.lstrip("+-"))
            if part:
                (unwanted if negative else wanted).append(part)
            negative = False
        return _without(wanted, unwanted)

    def _is_or(self) -> bool:
        if self._at >= len(self._tokens):
            return False
        _, _, word, comma = self._tokens[self._at]
        return word == "OR" or bool(comma)


def _without(wanted: list[str], unwanted: list[str]) -> str:
    if not wanted:
        if unwanted:
            raise Invalid("The text only says what to leave out: add a word to look for.", parameter="q")
        return ""
    every = " AND ".join(wanted)
    return f"(({every}) NOT ({' OR '.join(unwanted)}))" if unwanted else f"({every})"


def _quoted(words: str) -> str:
    """A phrase for the index; empty when there is no letter or digit in it."""
    plain = words.replace('"', " ").replace("\0", " ")
    return f'"{plain}"' if any(character.isalnum() for character in plain) else ""
