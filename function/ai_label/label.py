"""
Label of AI-made content of one upload, from its file, its form or a reviewer; pure.

Its texts come from strangers: they are short and of printable ASCII, and nothing more is known of them.

Source: GB 45438-2025, Annex E
"""

import re
from collections.abc import Mapping

from function.annotations import Any, NamedTuple

METADATA, DECLARED, REVIEWED = "metadata", "declared", "reviewed"
CONFLICT, UNREADABLE = "conflict", "unreadable"
# 1: is made by AI; 2: may be; 3: is suspected to be.
LABELS = (1, 2, 3)
# Characters of the standard, which has no blank and no backslash.
VALUE = re.compile(r"[!-\[\]-~]{0,64}")


class AiLabel(NamedTuple):
    """
    A label, or other marks of origin; without both the file was examined, and has none.

    Args:
        label: one of ``LABELS``; ``None`` for none.
        source: who said it; empty if nothing was found.
        problem: ``CONFLICT`` of two labels, or ``UNREADABLE``; empty for none.
        digital_source_type: last segment of IPTC's URI.
        c2pa: whether there is a manifest of C2PA, which need not speak of AI; ``None`` if that is unknown.
        is_whole: False if the label has a field that is left out here, being too long or of other characters.
    """

    label: int | None = None
    source: str = ""
    problem: str = ""
    producer: str = ""
    produce_id: str = ""
    reserved1: str = ""
    propagator: str = ""
    propagate_id: str = ""
    reserved2: str = ""
    digital_source_type: str = ""
    c2pa: bool | None = False
    is_whole: bool = True


NOTHING = AiLabel()
# Before anything is said, of a file that was not examined.
UNKNOWN = NOTHING._replace(c2pa=None)


def short(label: AiLabel) -> dict[str, Any] | None:
    """Return what a receipt says."""
    texts = {"source": label.source, "problem": label.problem}
    said = {name: text for name, text in texts.items() if text}
    return {"label": label.label, **said} if said else None


def from_short(said: object) -> AiLabel:
    """Return the label that a receipt has; raise ``ValueError`` for anything that ``short`` never makes."""
    if said is None:
        return NOTHING
    if said != short(label := from_fields(said)):
        raise ValueError
    return label._replace(c2pa=None)


def declared(label: AiLabel | None = None) -> AiLabel:
    """Return the label of what its uploader declares: the file's own if it has one, not a reviewer's."""
    if label and label.label and label.source != REVIEWED:
        return label
    return (label or UNKNOWN)._replace(label=2, source=DECLARED)


def reviewed(label: AiLabel | None) -> AiLabel:
    """Return the label of what a reviewer suspects: an earlier one if there is one."""
    return label if label and label.label else (label or UNKNOWN)._replace(label=3, source=REVIEWED)


def told(label: AiLabel) -> dict[str, Any] | None:
    """Return what responses and events say: what a receipt does, and the texts that there are."""
    said = short(label)
    if said is None:
        return None
    texts = {
        "producer": label.producer,
        "produceId": label.produce_id,
        "propagator": label.propagator,
        "propagateId": label.propagate_id,
        "digitalSourceType": label.digital_source_type,
    }
    if label.c2pa is not None:
        said["c2pa"] = label.c2pa
    return {**said, **{name: text for name, text in texts.items() if text}}


def fields(label: AiLabel) -> dict[str, Any]:
    """Return the fields of a record: those that differ from ``NOTHING``."""
    return {name: value for name, value in label._asdict().items() if value != NOTHING._field_defaults[name]}


def from_fields(found: object) -> AiLabel:
    """Return the label that a record has; raise ``ValueError`` for anything that ``fields`` never makes."""
    if not isinstance(found, Mapping) or not set(found) <= set(AiLabel._fields):
        raise ValueError
    label = NOTHING._replace(**found)
    texts, (c2pa, is_whole) = label[3:-2], label[-2:]
    # True is 1.
    is_number = label.label is None or (type(label.label) is int and label.label in LABELS)
    are_texts = all(isinstance(text, str) and VALUE.fullmatch(text) for text in texts)
    are_flags = (c2pa is None or isinstance(c2pa, bool)) and isinstance(is_whole, bool)
    is_known = label.source in ("", METADATA, DECLARED, REVIEWED)
    if not (is_number and are_texts and are_flags and is_known) or label.problem not in (
        "",
        CONFLICT,
        UNREADABLE,
    ):
        raise ValueError
    return label
