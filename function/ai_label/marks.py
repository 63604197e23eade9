"""Marks of origin that a reader finds in a file, and what they say together; pure."""

from collections.abc import Iterable

from function.ai_label import xmp
from function.ai_label.annex_e import Values, is_label, label_of, values_in
from function.ai_label.label import CONFLICT, METADATA, NOTHING, UNREADABLE, VALUE, AiLabel

# What stands in a place: a packet; the label's JSON; a text that may be one; a box of JUMBF, or C2PA's own.
XMP, LABEL, TEXT, JUMBF, C2PA = "xmp", "label", "text", "jumbf", "c2pa"
# A place that is not followed, in which a label may be.
LOST = "lost"
# A superbox and its description: the identifier of a store of manifests.
MANIFESTS = b"jumb", b"jumd", bytes.fromhex("63327061001100108000 00aa00389b71")

# Each with its bytes.
Mark = tuple[str, bytes]


def combine(marks: Iterable[Mark]) -> AiLabel:
    """Return the label that all marks of a file make, or ``NOTHING``."""
    labels: list[Values] = []
    problem = source_type = ""
    has_manifest, is_lost = False, False
    for what, data in marks:
        try:
            if what == XMP:
                for name, text in xmp.properties(data):
                    if name == xmp.LABEL:
                        labels.append(values_in(text))
                    else:
                        source_type = source_type or _last_segment(text)
            elif what == LABEL or (what == TEXT and is_label(_text(data))):
                labels.append(values_in(_text(data)))
        except ValueError:
            # What cannot be a label is none, however broken.
            if what != XMP or xmp.LABEL.encode() in data:
                problem = UNREADABLE
        has_manifest = has_manifest or what == C2PA or (what == JUMBF and is_manifest(data))
        is_lost = is_lost or what == LOST
    if any(values != labels[0] for values in labels):
        problem = problem or CONFLICT
    if is_lost and not labels:
        problem = UNREADABLE
    found = NOTHING
    if problem:
        found = AiLabel(problem=problem)
    elif labels:
        found = label_of(labels[0])
    elif source_type or has_manifest:
        found = AiLabel(source=METADATA)
    return found._replace(digital_source_type=source_type, c2pa=has_manifest)


def is_manifest(box: bytes) -> bool:
    """Return whether a box of JUMBF, of which the first bytes are enough, is a store of manifests."""
    return (box[4:8], box[12:16], box[16:32]) == MANIFESTS


def _text(data: bytes) -> str:
    return data.decode(errors="replace").strip("\ufeff\0 \r\n")


def _last_segment(uri: str) -> str:
    last = uri.strip().rpartition("/")[2]
    return last if VALUE.fullmatch(last) else ""
