"""JSON that others send: the body of a request, read strictly; of any other text, its object or none."""

import json
from typing import Any, NoReturn

from function.errors import BadRequest


def read_json_object(body: bytes) -> dict[str, Any]:
    """
    Decode a request body that must be a JSON object; an empty body counts as an empty object.

    Raises:
        BadRequest: for anything else, and for an object that names a field twice.
    """
    if not body:
        return {}
    try:
        value = strict_json(body.decode())
    except ValueError:
        raise BadRequest("The body must be a JSON object in UTF-8, each field once.") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def strict_json(text: str) -> Any:
    """
    What this text is in JSON, which has no NaN, and no field twice.

    Raises:
        ValueError: it is none, or is nested too deep.
    """
    try:
        return _decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def object_in(text: bytes | str) -> dict[str, Any] | None:
    """The JSON object that this text is, where it is one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has neither.
    raise ValueError(name)


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a field stands twice")
    return value


# One decoder for all requests: to build one takes as long as to read a body.
_decode = json.JSONDecoder(object_pairs_hook=_object_without_doubles, parse_constant=_refuse_constant).decode
