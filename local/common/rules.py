"""Rules of a service that differ from account to account, or are open, and their changes as text."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rules = TypeVar("Rules", bound="DataclassInstance")


class RuleRefused(ValueError):
    """
    Raised for a change that cannot be read.

    Args:
        name, value: as they were written.

        kind: what the rule's value is: bool, int or timedelta; none where there is no such rule.

        known: the names that there are.
    """

    def __init__(self, name: str, value: str, kind: type | None, known: Iterable[str]) -> None:
        self.names = ", ".join(sorted(known))
        wanted = {bool: "true or false", int: "a whole number", timedelta: "a whole number of seconds"}
        super().__init__(
            f"{name} is {wanted[kind]}, not {value!r}."
            if kind
            else f"There is no rule {name!r}; there are {self.names}."
        )
        self.name, self.value, self.kind = name, value, kind


def name_in(change: str) -> str:
    """Return the name of the rule that a change is about."""
    return change.partition("=")[0]


def change_rules(rules: Rules, changes: Iterable[str]) -> Rules:
    """
    Rules with some replaced.

    Args:
        rules: frozen, of bools, whole numbers and durations.

        changes: ``NAME=VALUE`` each: ``true`` or ``false``, a whole number, or seconds, as the rule has it.

    Raises:
        RuleRefused: for the one that cannot be read.
    """
    known = asdict(rules)
    changed: dict[str, Any] = {}
    for change in changes:
        name, _, value = change.partition("=")
        if name not in known:
            raise RuleRefused(name, value, None, known)
        changed[name] = _read(name, value.strip().lower(), known)
    return replace(rules, **changed)


def _read(name: str, value: str, known: Mapping[str, Any]) -> Any:
    kind = type(known[name])
    try:
        if kind is bool:
            return {"true": True, "false": False}[value]
        number = int(value)
        if number < 0:
            raise ValueError(value)
    except (KeyError, ValueError):
        raise RuleRefused(name, value, kind, known) from None
    return timedelta(seconds=number) if kind is timedelta else number
