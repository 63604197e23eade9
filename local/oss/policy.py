"""
The policy document of a PostObject form: its grammar, and what it demands of the form.

Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from local.oss import errors
from local.oss.errors import OssError, Refusal

EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
ONE_PROPERTY = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."


@dataclass(frozen=True)
class Condition:
    """
    One demand on one field.

    Args:
        field: lower case, without ``$``.

        operand: one text, or the listed ones for ``in`` and ``not-in``.
    """

    operator: str
    field: str
    operand: str | tuple[str, ...]

    def holds(self, value: str) -> bool:
        if self.operator == "starts-with":
            return isinstance(self.operand, str) and value.startswith(self.operand)
        if self.operator == "in":
            return value in self.operand
        if self.operator == "not-in":
            return value not in self.operand
        return value == self.operand

    def __str__(self) -> str:
        """As OSS prints it when it fails; the object form prints as ``eq``."""
        return json.dumps([self.operator, f"${self.field}", self.operand], ensure_ascii=False)


@dataclass(frozen=True)
class Policy:
    """
    A well-formed policy.

    Args:
        expires_at: timezone-aware UTC.

        sizes: smallest and largest object in bytes; several ranges must all hold.
    """

    expires_at: datetime
    conditions: tuple[Condition, ...]
    sizes: tuple[tuple[int, int], ...]

    def check_expiry(self, now: datetime) -> None:
        if now >= self.expires_at:
            raise OssError(errors.POLICY_EXPIRED)

    def check_conditions(self, value_of: Callable[[str], str | None], absent_meets_not_in: bool) -> None:
        """
        Args:
            value_of: the form's value of a lower-case field name, ``None`` when it was not sent.
        """
        for condition in self.conditions:
            value = value_of(condition.field)
            if value is None:
                if not (condition.operator == "not-in" and absent_meets_not_in):
                    raise OssError(errors.CONDITION_FIELD_ABSENT, f"{errors.CONDITION_TEXT}{condition}")
            elif not condition.holds(value):
                raise OssError(errors.CONDITION_FAILED, f"{errors.CONDITION_TEXT}{condition}")

    def require(self, fields: Iterable[str]) -> None:
        """Refuse a policy that says nothing about fields it has to bind."""
        bound = {condition.field for condition in self.conditions}
        for field in fields:
            if field not in bound:
                # Which text OSS uses is not documented; this one has been reported for the security token.
                raise OssError(
                    errors.CONDITION_FIELD_ABSENT, f"{errors.CONDITION_TEXT}{Condition('eq', field, '')}"
                )

    def check_largest(self, size: int) -> None:
        if any(size > largest for _, largest in self.sizes):
            raise OssError(errors.TOO_LARGE)

    def check_smallest(self, size: int) -> None:
        if any(size < smallest for smallest, _ in self.sizes):
            raise OssError(errors.TOO_SMALL)


def parse_policy(encoded: str, dollar_optional: bool = True) -> Policy:
    """
    Decode and check a policy field.

    Raises:
        OssError: ``InvalidPolicyDocument`` with the cause's EC. Only three texts are documented, the
            others are ours.
    """
    document = _decoded(encoded)
    if not isinstance(document, dict):
        _invalid("01", "the policy must be a JSON object")
    missing = {"expiration", "conditions"} - set(document)
    if missing:
        cause = {frozenset({"conditions"}): "07", frozenset({"expiration"}): "08"}.get(
            frozenset(missing), "09"
        )
        _invalid(cause, f"Policy missing {' and '.join(sorted(missing))}.")
    expires_at = _expiration(document["expiration"])
    items = document["conditions"]
    if not isinstance(items, list):
        _invalid("14", "conditions must be an array.")
    if not items:
        _invalid("15", "conditions must not be empty.")
    conditions: list[Condition] = []
    sizes: list[tuple[int, int]] = []
    for item in items:
        if isinstance(item, list) and item[:1] == ["content-length-range"]:
            sizes.append(_size_range(item))
        else:
            conditions.append(_condition(item, dollar_optional))
    return Policy(expires_at, tuple(conditions), tuple(sizes))


def _decoded(encoded: str) -> Any:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        _invalid("01", "the policy is not base64 of UTF-8 text.")
    if not text.strip():
        _invalid("05", "policy is empty.")
    # OSS documents \$ as an escape; JSON has none such.
    text = re.sub(r"\\(.)", lambda escape: "$" if escape[1] == "$" else escape[0], text, flags=re.DOTALL)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Expecting ',' delimiter"):
            _invalid("01", "Invalid JSON: , or ] expected")
        _invalid("01", f"Invalid JSON: unknown char {text[error.pos : error.pos + 1]}")
    except (ValueError, RecursionError):
        _invalid("01", "Invalid JSON: number or nesting too large")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names a property twice could be read either way, so it is refused."""
    if len({name for name, _ in pairs}) != len(pairs):
        _invalid("01", ONE_PROPERTY)
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, JSON does not know them."""
    _invalid("01", f"Invalid JSON: unknown char {name[0]}")


def _expiration(value: Any) -> datetime:
    if not isinstance(value, str):
        _invalid("10", "expiration must be a string.")
    if not value:
        _invalid("11", "expiration is empty.")
    try:
        if not EXPIRATION.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value)
    except ValueError:
        _invalid("01", "expiration must be ISO 8601 in GMT, such as 2030-01-01T00:00:00.000Z.")


def _size_range(item: list[Any]) -> tuple[int, int]:
    if len(item) != 3:
        _invalid("18", "content-length-range takes a minimum and a maximum.")
    for cause, bound in zip(("21", "23"), item[1:], strict=True):
        if not isinstance(bound, int) or isinstance(bound, bool) or bound < 0:
            _invalid(cause, "content-length-range takes whole numbers of bytes.")
    if item[2] < item[1]:
        _invalid("19", "the maximum of content-length-range is below its minimum.")
    return item[1], item[2]


def _condition(item: Any, dollar_optional: bool) -> Condition:
    if isinstance(item, dict):
        return _simple_condition(item)
    if not isinstance(item, list):
        _invalid("22", "a condition must be an object or an array.")
    if not item:
        _invalid("16", "a condition must begin with its matching mode.")
    mode = item[0]
    if mode not in ("eq", "starts-with", "in", "not-in"):
        _invalid("17", f"unknown matching mode {json.dumps(mode, ensure_ascii=False)}.")
    if len(item) != 3:
        _invalid("18", f"{mode} takes a field and a value.")
    _, field, operand = item
    if not isinstance(field, str) or not (dollar_optional or field.startswith("$")):
        _invalid("24", f'{mode} takes a field as "$name".')
    if mode in ("in", "not-in"):
        if not isinstance(operand, list) or not all(isinstance(choice, str) for choice in operand):
            _invalid("24", f"{mode} takes an array of strings.")
        return Condition(mode, field.removeprefix("$").lower(), tuple(operand))
    if not isinstance(operand, str):
        _invalid("24", f"{mode} takes a string.")
    return Condition(mode, field.removeprefix("$").lower(), operand)


def _simple_condition(item: dict[str, Any]) -> Condition:
    if len(item) != 1:
        _invalid("01", ONE_PROPERTY)
    ((field, operand),) = item.items()
    if not isinstance(operand, str):
        _invalid("24", f"the condition on {field} takes a string.")
    return Condition("eq", field.lower(), operand)


def _invalid(cause: str, message: str) -> NoReturn:
    raise OssError(Refusal(400, "InvalidPolicyDocument", f"Invalid Policy: {message}", f"0006-000002{cause}"))
