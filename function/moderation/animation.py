"""
Animated pictures, by their bytes: GIF, PNG and WebP of more than one frame, and HEIF and AVIF sequences,
whatever their declared type.

A checker looks at one frame, and a phone shows them all.
"""

from collections.abc import Callable
from enum import Enum, auto

RANGE_BYTES = 64 * 1024
# The largest picture that any checker takes.
MAX_BYTES = 20 * 1024 * 1024
# More than any picture has, and walked in milliseconds: a file may consist of millions of empty ones.
MAX_PARTS = 10_000
UNCOMPRESSED = ("", "identity")
# Blocks of a GIF begin with one of these; an image has 10 bytes of header, and one behind its colours.
GIF, GIF_HEADER = (b"GIF87a", b"GIF89a"), 13
GIF_IMAGE, GIF_IMAGE_HEADER, GIF_EXTENSION, GIF_END = 0x2C, 10, 0x21, 0x3B
# Chunks of a PNG: 4 bytes of length, 4 of type, the data, 4 of checksum.
PNG, PNG_ANIMATION, PNG_IMAGE = b"\x89PNG\r\n\x1a\n", b"acTL", b"IDAT"
# Chunks of a WebP: 4 bytes of type, 4 of length, the data; those of the extended header begin with flags.
WEBP, WEBP_HEADER, WEBP_ANIMATION = b"WEBP", 12, (b"ANIM", b"ANMF")
WEBP_EXTENDED, WEBP_FLAG = b"VP8X", 0x02
# Brands of HEIF and AVIF files that are shown as a sequence.
HEIF, SEQUENCES = b"ftyp", {b"avis", b"msf1", b"hevc", b"hevx"}

# Takes an offset and how many bytes to return from there.
Read = Callable[[int, int], bytes]
# Takes an offset and how many bytes to return at least.
_View = Callable[[int, int], memoryview]


class Frames(Enum):
    """Frames of a picture; a file of any other format counts as one."""

    ONE = auto()
    SEVERAL = auto()
    UNKNOWN = auto()


class _Undecided(Exception):
    """Raised where a file is malformed, or ends too early or too late."""


def is_compressed(encoding: str) -> bool:
    """
    Return whether a ``Content-Encoding``, which no form pins, names a compression.

    A phone decompresses an object before showing it; whether a checker or OSS does is not documented.
    """
    return encoding.strip().lower() not in UNCOMPRESSED


def frames_of(beginning: bytes, size_bytes: int, read: Read) -> Frames:
    """
    Return how many frames a file has; it is read in ranges until that is decided.

    Args:
        beginning: its first ``RANGE_BYTES``.

    Returns:
        ``UNKNOWN`` if it is malformed, or not decided within ``MAX_BYTES`` and ``MAX_PARTS``.

    Sources:
        https://www.w3.org/Graphics/GIF/spec-gif89a.txt
        https://www.w3.org/TR/png-3/#11acTL
        https://developers.google.com/speed/webp/docs/riff_container
        https://aomediacodec.github.io/av1-avif/
    """
    start, loaded = 0, memoryview(beginning)
    parts = iter(range(MAX_PARTS))

    def view(at: int, least: int) -> memoryview:
        nonlocal start, loaded
        if at + least > min(size_bytes, MAX_BYTES) or next(parts, None) is None:
            raise _Undecided
        if at + least > start + len(loaded):
            start, loaded = at, memoryview(read(at, min(RANGE_BYTES, size_bytes - at)))
            if len(loaded) < least:
                raise _Undecided
        return loaded[at - start :]

    try:
        if beginning.startswith(GIF):
            is_animated = _is_animated_gif(view)
        elif beginning.startswith(PNG):
            is_animated = _is_animated_png(view)
        elif beginning[4:8] == HEIF:
            is_animated = not SEQUENCES.isdisjoint(_brands(beginning))
        else:
            is_animated = beginning[8:WEBP_HEADER] == WEBP and _is_animated_webp(view, size_bytes)
    except _Undecided:
        return Frames.UNKNOWN
    return Frames.SEVERAL if is_animated else Frames.ONE


def _brands(beginning: bytes) -> list[bytes]:
    """Return the brands of a HEIF file, its own first; all of the first range if the box is longer."""
    box = beginning[8 : int.from_bytes(beginning[:4])]
    return [box[at : at + 4] for at in range(0, len(box), 4)]


def _is_animated_gif(view: _View) -> bool:
    at = GIF_HEADER + _colours(view(0, GIF_HEADER)[10])
    has_image = False
    while (kind := view(at, 1)[0]) != GIF_END:
        if kind == GIF_EXTENSION:
            at = _behind_data(view, at + 2)
        elif kind != GIF_IMAGE:
            raise _Undecided
        elif has_image:
            return True
        else:
            has_image = True
            colours = _colours(view(at, GIF_IMAGE_HEADER)[GIF_IMAGE_HEADER - 1])
            at = _behind_data(view, at + GIF_IMAGE_HEADER + colours + 1)
    return False


def _colours(flags: int) -> int:
    """Return the bytes of a GIF's table of colours."""
    return 6 << (flags & 7) if flags & 0x80 else 0


def _behind_data(view: _View, at: int) -> int:
    """Return the offset behind a GIF's blocks of data: each begins with its length, and the last has none."""
    data, place = view(at, 1), 0
    # A file may consist of millions of such blocks.
    while length := data[place]:
        place += 1 + length
        if place >= len(data):
            at, place = at + place, 0
            data = view(at, 1)
    return at + place + 1


def _is_animated_png(view: _View) -> bool:
    at = len(PNG)
    # An announcement behind the first image data does not count.
    while (head := bytes(view(at, 8)[:8]))[4:] not in (PNG_ANIMATION, PNG_IMAGE):
        at += 12 + int.from_bytes(head[:4])
    return head.endswith(PNG_ANIMATION)


def _is_animated_webp(view: _View, size_bytes: int) -> bool:
    at = WEBP_HEADER
    # To the end of the file, whatever size its header says.
    while at < size_bytes:
        head = bytes(view(at, 8)[:8])
        if head[:4] in WEBP_ANIMATION or (head[:4] == WEBP_EXTENDED and view(at, 9)[8] & WEBP_FLAG):
            return True
        at += 8 + int.from_bytes(head[4:], "little")
        if at > size_bytes:
            raise _Undecided
        # Data of an odd length are followed by another byte.
        at += at % 2
    return False
