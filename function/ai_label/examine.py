"""Reads the label of an object from its own bytes, by few bounded ranges."""

from collections.abc import Callable, Iterable, Iterator

from function.ai_label.combined_marks import C2PA, LOST, Mark, combine
from function.ai_label.label import AiLabel
from function.errors import OssUnavailable
from function.moderation.picture_structure import (
    HEIC_BRANDS,
    SEQUENCES,
    PictureFile,
    Unreadable,
    brands_of,
    is_compressed,
    kind_of,
)
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts, read_range

# Of a range, which nothing that is read exceeds, and of all.
RANGE_BYTES, MAX_BYTES, MAX_READS = 256 * 1024, 4 * 1024 * 1024, 20
LEAST_SECONDS = 1.0
# Of packets and texts, which items of a HEIC may repeat: two of the longest segments of a JPEG.
MAX_MARK_BYTES = 128 * 1024
# By these a file is known, with its brands if it has some.
FIRST_BYTES = 64
# Brands of pictures, of which only HEIC is read.
PICTURES = {b"mif1", b"avif", *SEQUENCES}


def examine(oss: OssClient, key: str, facts: ObjectFacts) -> AiLabel | None:
    """
    Return the label that an object carries, or ``NOTHING``.

    Args:
        facts: of the object; other bytes are not read.

    Returns:
        ``None`` if it cannot be said: another kind of file, compressed, malformed, or beyond the bounds.

    Raises:
        OssUnavailable: no time is left; a later request reads the object.
        UploadError: OSS refuses, or does not respond, or the object was replaced.
    """
    reads, bytes_left = 0, MAX_BYTES

    def read(at: int, count: int) -> bytes:
        nonlocal reads, bytes_left
        reads, bytes_left = reads + 1, bytes_left - count
        if reads > MAX_READS or bytes_left < 0:
            raise Unreadable
        if oss.seconds_left() < LEAST_SECONDS:
            raise OssUnavailable(reason="no time left to read the label")
        return read_range(oss, key, at, count, facts.etag)

    return None if is_compressed(facts.encoding) else label_in(facts.size_bytes, read)


def label_in(size_bytes: int, read: Callable[[int, int], bytes]) -> AiLabel | None:
    """Return the label of a file, as ``examine`` does; raises what ``read`` does."""
    from function.ai_label import boxes, pictures

    file = PictureFile(size_bytes, read, RANGE_BYTES, most_bytes=size_bytes)
    try:
        beginning = bytes(file.ahead(min(size_bytes, FIRST_BYTES))[:FIRST_BYTES])
        brands = brands_of(beginning)
        if kind := kind_of(beginning):
            reader = pictures.READERS.get(kind)
        elif HEIC_BRANDS.intersection(brands):
            reader = boxes.heic_marks
        else:
            reader = boxes.video_marks if PICTURES.isdisjoint(brands) else None
        return combine(_bounded(reader(file))) if reader else None
    except Unreadable:
        return None


def _bounded(marks: Iterable[Mark]) -> Iterator[Mark]:
    left = MAX_MARK_BYTES
    for what, data in marks:
        left -= 0 if what in (C2PA, LOST) else len(data)
        if left < 0:
            raise Unreadable
        yield what, data
