"""
Pictures by their bytes, read in ranges where they are needed: kind, chunks, and how many frames.

A checker looks at one frame, and a phone shows them all: GIF, PNG and WebP of more than one frame, and HEIF
and AVIF sequences, whatever their declared type.

Sources: GIF89a, PNG (third edition), RFC 9649 (WebP), https://aomediacodec.github.io/av1-avif/
"""

import re
import struct
from collections.abc import Callable, Iterator
from enum import Enum, auto

# What is read at first, which decides most, and at once behind it.
RANGE_BYTES, FURTHER_BYTES = 64 * 1024, 1024 * 1024
UNCOMPRESSED = ("", "identity")
# Blocks of a GIF begin with one of these; an image has 10 bytes of header, and one behind its colours.
GIF_HEADER, GIF_IMAGE, GIF_IMAGE_HEADER, GIF_EXTENSION, GIF_END = 13, 0x2C, 10, 0x21, 0x3B
# Chunks of animations; the extended header of a WebP begins with flags.
PNG_ANIMATION, WEBP_ANIMATION, WEBP_EXTENDED, WEBP_FLAG = b"acTL", (b"ANIM", b"ANMF"), b"VP8X", 0x02
# Begin of a scan; in its data, neither a stuffed byte nor a restart.
JPEG_SCAN, JPEG_MARKER = 0xDA, re.compile(rb"\xff[^\x00\xd0-\xd7]")
# The largest picture that any checker takes, and that OSS processes.
MAX_BYTES = 20 * 1024 * 1024
# More than any picture has, and walked in milliseconds: a file may consist of millions of empty ones.
MAX_PARTS = 10_000
# Of a GIF's data: twice as many as 20 MiB have, of 255 bytes each.
MAX_BLOCKS = 160_000
GIF, JPEG, PNG, WEBP = "gif", "jpg", "png", "webp"
MARKS = {b"GIF8[79]a": GIF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG, b"RIFF.{4}WEBP": WEBP}
# Brands of HEIF and AVIF files that are shown as a sequence.
SEQUENCES = {b"avis", b"msf1", b"hevc", b"hevx"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}

# Takes an offset and how many bytes to return from there.
Read = Callable[[int, int], bytes]


class Unreadable(Exception):
    """Raised where a file is malformed, has too many parts, or ends too early or too late."""


class PictureFile:
    """
    File that is read from its beginning to its end; nothing is kept.

    Args:
        range_bytes: that are read at once.
        beginning: the first bytes, if they were read already.
        most_bytes: that are looked at.
    """

    def __init__(
        self,
        size_bytes: int,
        read: Read,
        range_bytes: int,
        beginning: bytes = b"",
        *,
        most_bytes: int = MAX_BYTES,
    ) -> None:
        self.at, self.size_bytes, self._end = 0, size_bytes, min(size_bytes, most_bytes)
        self._read, self._range_bytes = read, range_bytes
        self._first, self._loaded = 0, memoryview(beginning)
        self._parts_left, self.blocks_left = MAX_PARTS, MAX_BLOCKS

    def ahead(self, count: int) -> memoryview:
        """Return what is loaded from here on, at least so many bytes."""
        self._parts_left -= 1
        if self._parts_left < 0:
            raise Unreadable
        if not self._first <= self.at <= self._first + len(self._loaded) - count:
            self._load(count)
        return self._loaded[self.at - self._first :]

    def take(self, count: int) -> bytes:
        taken = bytes(self.ahead(count)[:count])
        self.at += count
        return taken

    def skip(self, count: int) -> None:
        """Go on behind so many bytes, which are not read."""
        self.at += count
        if self.at > self.size_bytes:
            raise Unreadable

    def skip_to(self, mark: re.Pattern[bytes]) -> None:
        """Go on to a mark of two bytes."""
        while (found := mark.search(self._loaded, self.at - self._first)) is None:
            # Its two bytes may be in two ranges.
            self.at = max(self.at, self._first + len(self._loaded) - 1)
            self._load(2)
        self.at = self._first + found.start()

    def _load(self, count: int) -> None:
        left = self._end - self.at
        # Nothing is asked for behind the end.
        if left < max(count, 1):
            raise Unreadable
        self._first = self.at
        self._loaded = memoryview(self._read(self.at, min(max(self._range_bytes, count), left)))
        if len(self._loaded) < count:
            raise Unreadable


def kind_of(beginning: bytes) -> str:
    """Return ``GIF``, ``JPEG``, ``PNG`` or ``WEBP``; empty for any other file."""
    return next((kind for mark, kind in MARKS.items() if re.match(mark, beginning, re.DOTALL)), "")


def brands_of(beginning: bytes) -> list[bytes]:
    """Return the brands of a HEIF file, its own first; of these bytes only if its box is longer."""
    is_heif = beginning[4:8] == b"ftyp"
    return re.findall(b"(?s).{4}", beginning[8 : int.from_bytes(beginning[:4])]) if is_heif else []


def png_chunks(file: PictureFile) -> Iterator[tuple[bytes, int]]:
    """Yield name and length of each chunk up to IEND; its data may be taken."""
    if kind_of(file.take(8)) != PNG:
        raise Unreadable
    name = b""
    while name != b"IEND":
        length, name = struct.unpack(">I4s", file.take(8))
        # A checksum follows.
        behind = file.at + length + 4
        yield name, length
        file.skip(behind - file.at)


def jpeg_segments(file: PictureFile) -> Iterator[tuple[int, int]]:
    """Yield code and length of each segment up to the end; its data may be taken."""
    if file.take(2) != b"\xff\xd8":
        raise Unreadable
    while (marker := file.take(2)) != b"\xff\xd9":
        length = int.from_bytes(file.take(2)) - 2
        if marker[0] != 0xFF or length < 0:
            raise Unreadable
        behind = file.at + length
        yield marker[1], length
        file.skip(behind - file.at)
        if marker[1] == JPEG_SCAN:
            file.skip_to(JPEG_MARKER)


def webp_chunks(file: PictureFile, *, is_whole: bool = False) -> Iterator[tuple[bytes, int]]:
    """
    Yield name and length of each chunk; its data may be taken.

    Args:
        is_whole: True for all chunks up to the end of the file, whatever size its header says.
    """
    header = file.take(12)
    if kind_of(header) != WEBP:
        raise Unreadable
    end = file.size_bytes if is_whole else 8 + int.from_bytes(header[4:8], "little")
    while file.at < end:
        name, length = struct.unpack("<4sI", file.take(8))
        behind = file.at + length
        yield name, length
        file.skip(behind - file.at)
        # Data of an odd length are followed by another byte, which the end of a file may lack.
        file.at = min(file.at + file.at % 2, file.size_bytes)
    if file.at != end:
        raise Unreadable


class Frames(Enum):
    """Frames of a picture; a file of any other format counts as one."""

    ONE = auto()
    SEVERAL = auto()
    UNKNOWN = auto()


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
        ``UNKNOWN`` if it is malformed, or not decided within ``MAX_BYTES``, ``MAX_PARTS`` and ``MAX_BLOCKS``.
    """
    kind, file = kind_of(beginning), PictureFile(size_bytes, read, FURTHER_BYTES, beginning)
    walks = {GIF: _is_animated_gif, PNG: _is_animated_png, WEBP: _is_animated_webp}
    try:
        is_sequence = not SEQUENCES.isdisjoint(brands_of(beginning))
        is_animated = walks[kind](file) if kind in walks else is_sequence
    except Unreadable:
        return Frames.UNKNOWN
    return Frames.SEVERAL if is_animated else Frames.ONE


def _is_animated_gif(file: PictureFile) -> bool:
    file.skip(_colours(file.take(GIF_HEADER)[10]))
    has_image = False
    while (kind := file.ahead(1)[0]) != GIF_END:
        if kind == GIF_EXTENSION:
            file.skip(2)
        elif kind != GIF_IMAGE:
            raise Unreadable
        elif has_image:
            return True
        else:
            has_image = True
            file.skip(_colours(file.take(GIF_IMAGE_HEADER)[-1]) + 1)
        _skip_data(file)
    return False


def _colours(flags: int) -> int:
    """Return the bytes of a GIF's table of colours."""
    return 6 << (flags & 7) if flags & 0x80 else 0


def _skip_data(file: PictureFile) -> None:
    """Go on behind a GIF's blocks of data: each begins with its length, and the last has none."""
    data, place = file.ahead(1), 0
    # A file may consist of millions of such blocks.
    while length := data[place]:
        file.blocks_left -= 1
        if file.blocks_left < 0:
            raise Unreadable
        place += 1 + length
        if place >= len(data):
            file.skip(place)
            data, place = file.ahead(1), 0
    file.skip(place + 1)


def _is_animated_png(file: PictureFile) -> bool:
    # An announcement behind the first image data does not count.
    for name, _ in png_chunks(file):
        if name in (PNG_ANIMATION, b"IDAT"):
            return name == PNG_ANIMATION
    raise Unreadable


def _is_animated_webp(file: PictureFile) -> bool:
    return any(
        name in WEBP_ANIMATION or (name == WEBP_EXTENDED and file.ahead(1)[0] & WEBP_FLAG)
        for name, _ in webp_chunks(file, is_whole=True)
    )
