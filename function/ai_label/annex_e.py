"""
The label as the standard writes it: JSON of one level, bare or in ``{"AIGC": …}``; pure.

Source: GB 45438-2025, Annex E
"""

import json

from function.ai_label.label import METADATA, NOTHING, VALUE, AiLabel
from function.annotations import Any

# Of the JSON, and of a value in it.
MAX_TEXT, MAX_VALUE = 4096, 256
OUTER = "AIGC"
# Fields in the standard's order, with those of ``AiLabel`` that take them.
FIELDS = {
    "Label": "label",
    "ContentProducer": "producer",
    "ProduceID": "produce_id",
    "ReservedCode1": "reserved1",
    "ContentPropagator": "propagator",
    "PropagateID": "propagate_id",
    "ReservedCode2": "reserved2",
}

# Where one of these stands, a text that may hold anything is a label, readable or not.
MARKS = f'"{OUTER}"', '"ContentProducer"'


def values_in(text: str) -> dict[str, str]:
    """Return the fields of a label; whole numbers count as text. Raise ``ValueError`` if it has none."""
    if len(text.encode()) > MAX_TEXT:
        raise ValueError
    try:
        found = _decode(text.strip())
    except RecursionError:
        raise ValueError from None
    found = found.get(OUTER, found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or found.get("Label") not in ("1", "2", "3"):
        raise ValueError
    if not all(isinstance(value, str) and len(value) <= MAX_VALUE for value in found.values()):
        raise ValueError
    return {name: found.get(name, "") for name in FIELDS}


def is_label(text: str) -> bool:
    """Return whether a text that may hold anything is meant for a label."""
    return text.lstrip().startswith("{") and any(mark in text for mark in MARKS)


def label_of(values: dict[str, str]) -> AiLabel:
    """Return a label with the texts that ``AiLabel`` takes."""
    label, *texts = FIELDS
    taken: dict[str, Any] = {FIELDS[name]: values[name] for name in texts if VALUE.fullmatch(values[name])}
    is_whole = len(taken) == len(texts)
    return NOTHING._replace(label=int(values[label]), source=METADATA, is_whole=is_whole, **taken)


def text_of(label: AiLabel) -> str:
    """Return the bare JSON of a label."""
    return _encode({name: str(getattr(label, field)) for name, field in FIELDS.items()})


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str).decode
_encode = json.JSONEncoder(separators=(",", ":")).encode
