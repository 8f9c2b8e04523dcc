"""Passwords: argon2id, few at once, and no clue to whoever guesses."""

from __future__ import annotations

import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from terrella.access.passwords import Passwords
from terrella.errors import Invalid, QuotaExceeded


def test_hashes_are_argon2id_and_salted() -> None:
    passwords = Passwords()
    one, two = passwords.hashed("correct horse"), passwords.hashed("correct horse")
    assert one != two
    parameters = extract_parameters(one)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024  # kB: the least that OWASP names
    assert PasswordHasher().verify(one, "correct horse")
    assert passwords.is_right(one, "correct horse")
    assert not passwords.is_right(one, "Correct horse")
    assert not passwords.is_right(one, "x" * 100_000)
    assert not passwords.is_right("broken", "correct horse")


def test_any_character_is_a_character() -> None:
    passwords = Passwords()
    odd = "pässwörd 🌍\0\ud800 "
    assert passwords.is_right(passwords.hashed(odd), odd)


def test_right_ones_are_remembered_until_the_hash_changes() -> None:
    passwords = Passwords()
    encoded = passwords.hashed("correct horse")
    passwords.is_right(encoded, "correct horse")
    began = time.perf_counter()
    for _ in range(100):
        assert passwords.is_right(encoded, "correct horse")
    assert time.perf_counter() - began < 0.1
    assert not passwords.is_right(passwords.hashed("another horse"), "correct horse")


def test_nobody_takes_as_long_as_somebody() -> None:
    passwords = Passwords()
    encoded = passwords.hashed("correct horse")
    passwords.is_right(None, "x" * 10)  # the hash to compare with is made once

    def seconds(stored: str | None) -> float:
        began = time.perf_counter()
        assert not passwords.is_right(stored, "wrong horse")
        return time.perf_counter() - began

    known, unknown = (min(seconds(stored) for _ in range(2)) for stored in (encoded, None))
    assert 0.3 < known / unknown < 3


def test_few_at_once_and_the_rest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, running, most = Passwords(at_once=2, waiting=3), [], []
    lock = threading.Lock()

    def slow(*_: object) -> bool:
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.1)
        with lock:
            running.pop()
        return True

    monkeypatch.setattr("terrella.access.passwords._matches", slow)
    outcomes: list[str] = []

    def ask(number: int) -> None:
        try:
            passwords.is_right("hash", f"password {number}")
            outcomes.append("right")
        except QuotaExceeded as error:
            outcomes.append(f"come again in {error.details['retry_after']} s")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2
    assert outcomes.count("right") == 5
    assert outcomes.count("come again in 3 s") == 15


def test_lengths() -> None:
    for wrong in ("", "1234567", "x" * 1025):
        with pytest.raises(Invalid, match="8 to 1024"):
            Passwords().hashed(wrong)
