"""
Bytes of a picture file, read in ranges where they are needed, and the chunks of PNG and WebP.

Sources: PNG (third edition), RFC 9649 (WebP)
"""

import re
import struct
from collections.abc import Callable, Iterator

# The largest picture that any checker takes, and that OSS processes.
MAX_BYTES = 20 * 1024 * 1024
# More than any picture has, and walked in milliseconds: a file may consist of millions of empty ones.
MAX_PARTS = 10_000
GIF, HEIF, JPEG, PNG, WEBP = "gif", "heif", "jpg", "png", "webp"
MARKS = {
    b"GIF8[79]a": GIF,
    b".{4}ftyp": HEIF,
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"RIFF.{4}WEBP": WEBP,
}
# Brands of HEIF and AVIF files that are shown as a sequence.
SEQUENCES = {b"avis", b"msf1", b"hevc", b"hevx"}


class Unreadable(Exception):
    """Raised where a file is malformed, has too many parts, or ends too early or too late."""


class PictureFile:
    """
    File that is read from its beginning to its end; nothing is kept.

    Args:
        read: takes an offset and how many bytes to return from there.
        range_bytes: that are read at once.
        beginning: the first bytes, if they were read already.
    """

    def __init__(
        self, size_bytes: int, read: Callable[[int, int], bytes], range_bytes: int, beginning: bytes = b""
    ) -> None:
        self.at, self.size_bytes = 0, size_bytes
        self._read, self._range_bytes = read, range_bytes
        self._first, self._loaded = 0, memoryview(beginning)
        self._parts_left = MAX_PARTS

    def ahead(self, count: int) -> memoryview:
        """Return what is loaded from here on, at least so many bytes."""
        self._parts_left -= 1
        if self._parts_left < 0:
            raise Unreadable
        if self.at + count > self._first + len(self._loaded):
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
        left = min(self.size_bytes, MAX_BYTES) - self.at
        if count > left:
            raise Unreadable
        self._first = self.at
        self._loaded = memoryview(self._read(self.at, min(max(self._range_bytes, count), left)))
        if len(self._loaded) < count:
            raise Unreadable


def kind_of(beginning: bytes) -> str:
    """Return ``GIF``, ``HEIF``, ``JPEG``, ``PNG`` or ``WEBP``; empty for any other file."""
    return next((kind for mark, kind in MARKS.items() if re.match(mark, beginning, re.DOTALL)), "")


def brands_of(beginning: bytes) -> list[bytes]:
    """Return the brands of a HEIF file, its own first; of the first bytes only if its box is longer."""
    return re.findall(b"(?s).{4}", beginning[8 : int.from_bytes(beginning[:4])])


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
