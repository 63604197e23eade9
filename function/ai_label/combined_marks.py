"""Marks of origin that a reader finds in a file, and what they say together; pure."""

from collections.abc import Iterable, Iterator

from function.ai_label import xmp
from function.ai_label.annex_e import is_label, label_of, values_in
from function.ai_label.label import CONFLICT, METADATA, NOTHING, UNREADABLE, VALUE, AiLabel

# A packet, the JSON of a label, a manifest, and a place that is not followed, in which a label may be.
XMP, LABEL, C2PA, LOST = range(4)
# A superbox and its description: the identifier of a store of manifests.
MANIFESTS = b"jumb", b"jumd", bytes.fromhex("63327061001100108000 00aa00389b71")

# Each with its bytes.
Mark = tuple[int, bytes]


def combine(marks: Iterable[Mark]) -> AiLabel:
    """Return the label that all marks of a file make, or ``NOTHING``."""
    labels: list[dict[str, str]] = []
    seen: set[int] = set()
    problem = source_type = ""
    for what, data in marks:
        try:
            if what == XMP:
                for name, text in xmp.properties(data):
                    if name == xmp.LABEL:
                        labels.append(values_in(text))
                    else:
                        source_type = source_type or _last_segment(text)
            elif what == LABEL:
                labels.append(values_in(_text(data)))
        except ValueError:
            # What cannot be a label is none, however broken.
            # Without the zeros of UTF-16, which is not read.
            if what != XMP or xmp.LABEL.encode() in data.replace(b"\0", b""):
                problem = UNREADABLE
        seen.add(what)
    if any(values != labels[0] for values in labels):
        problem = problem or CONFLICT
    if LOST in seen and not labels:
        problem = UNREADABLE
    found = NOTHING
    if problem:
        found = AiLabel(problem=problem)
    elif labels:
        found = label_of(labels[0])
    elif source_type or C2PA in seen:
        found = AiLabel(source=METADATA)
    return found._replace(digital_source_type=source_type, c2pa=C2PA in seen)


def manifest_marks(box: bytes) -> Iterator[Mark]:
    """Yield a mark if a box of JUMBF, of which the first bytes are enough, is a store of manifests."""
    if (box[4:8], box[12:16], box[16:32]) == MANIFESTS:
        yield C2PA, box


def text_marks(data: bytes) -> Iterator[Mark]:
    """Yield a mark if a text that may hold anything is meant for a label."""
    if is_label(_text(data)):
        yield LABEL, data


def _text(data: bytes) -> str:
    return data.decode(errors="replace").strip("\ufeff\0 \r\n")


def _last_segment(uri: str) -> str:
    last = uri.strip().rpartition("/")[2]
    return last if VALUE.fullmatch(last) else ""
