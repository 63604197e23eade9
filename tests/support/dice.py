"""Choices read off a string of bytes, so that whoever makes the bytes also chooses the structure."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, 10**400, 1e308, float("nan"), float("inf"), -0.0),
    *("", "x", "1", "\ud800", "\u0000", "x" * 300, "猫" * 100, [], [[]], {}, {"a": 1}, ["x"]),
)


class Dice:
    """Runs out gently: what is past the end reads as zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def fair(self) -> bool:
        """Even for an input of even length."""
        return len(self._data) % 2 == 0

    def number(self, below: int) -> int:
        self._at += 1
        return self._data[self._at - 1] % below if self._at <= len(self._data) else 0

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.number(len(choices))]

    def text(self, longest: int) -> str:
        """Up to ``longest`` bytes as text; bytes that are no UTF-8 become lone surrogates."""
        return self._take(self.number(longest + 1)).decode("utf-8", "surrogateescape")

    def value(self) -> Any:
        return self.one_of((*ODD_VALUES, self.text(8)))

    def json_like(self) -> str:
        """Often JSON, sometimes broken."""
        left = self.rest().decode("utf-8", "surrogateescape")
        return left if self.fair else json.dumps({"sub": left, "exp": len(left)})

    def rest(self) -> bytes:
        return self._take(len(self._data))

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
