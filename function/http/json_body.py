"""JSON from outside: request bodies are read strictly, other texts give their object or ``None``."""

import json
from codecs import BOM_UTF8

from function.annotations import Any, NoReturn
from function.errors import BadRequest


def read_json_object(body: bytes) -> dict[str, Any]:
    """Decode a request body, a JSON object or empty; raise ``BadRequest`` for anything else."""
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
    """Decode JSON; raise ``ValueError`` for NaN, Infinity, repeated fields and too deep nesting."""
    try:
        return _decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def object_in(text: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object in this text, or ``None``."""
    try:
        if isinstance(text, bytes):
            # Systems exchange JSON in UTF-8; json.loads would look for another encoding each time.
            text = text.removeprefix(BOM_UTF8).decode(errors="surrogatepass")
        value = _decode_any(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_constant(name: str) -> NoReturn:
    # Python accepts NaN and Infinity; JSON has neither.
    raise ValueError(name)


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("repeated field")
    return value


_decode_any = json.JSONDecoder().decode
# One decoder for all requests: building one takes as long as reading a body.
_decode = json.JSONDecoder(object_pairs_hook=_unique_fields, parse_constant=_refuse_constant).decode
