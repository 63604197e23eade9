"""
Metadata in a picture, by its own bytes: JPEG segments, PNG chunks and WebP chunks, walked to the end; pure.

Only what an encoder needs to draw the picture may be there: its data and tables, size, density and colours.
A colour profile stays, because the colours of most phones are wrong without it. EXIF, XMP, IPTC, texts,
comments, thumbnails, further pictures, bytes after the end, and whatever is unknown or unreadable, count as
metadata. The data of the picture itself is not decoded.

Sources: ITU-T T.81 and T.871 (JPEG), PNG (third edition), RFC 9649 (WebP)
"""

import re
import struct
from collections.abc import Iterable, Iterator

JPEG, PNG, WEBP = "jpg", "png", "webp"
UNREADABLE, AFTER_END, ANIMATED, TURNED = "unreadable", "bytes after the end", "animated", "turned"
SOS, EOI, APP0, APP2, APP14 = 0xDA, 0xD9, 0xE0, 0xE2, 0xEE
# Tables, restart interval, and the frames that encoders write: baseline, extended, progressive.
TABLES, FRAMES = (0xDB, 0xC4, 0xDD), (0xC0, 0xC1, 0xC2)
# JFIF without a thumbnail, one piece of a colour profile, Adobe's colour transform.
APPS = {APP0: rb"JFIF\0.{7}\0\0", APP2: rb"ICC_PROFILE\0.{2}.*", APP14: rb"Adobe.{7}"}
# Behind entropy-coded data: neither a stuffed byte nor a restart.
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
PNG_START, MAX_CHUNK = b"\x89PNG\r\n\x1a\n", 2**31 - 1
# Each with the largest length that it needs.
PNG_CHUNKS = dict(
    zip(
        b"IHDR PLTE IDAT IEND tRNS bKGD sBIT gAMA cHRM sRGB iCCP cICP pHYs".split(),
        (13, 768, MAX_CHUNK, 0, 256, 6, 4, 4, 32, 1, MAX_CHUNK, 4, 9),
        strict=True,
    )
)
WEBP_PICTURES, WEBP_CHUNKS = (b"VP8 ", b"VP8L"), (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP")
# Flags of VP8X: colour profile and transparency.
WEBP_FLAGS = 0x30
ORIENTATION, MAX_EXIF_BYTES = 0x0112, 64 * 1024
EXIF, ANIMATION = (b"eXIf", b"EXIF"), (b"acTL", b"ANIM", b"ANMF")
# The first bytes by which a picture is known; of HEIC these are enough for its brands.
FIRST_BYTES = 64
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}


class _Left(Exception):
    """Something that is metadata or unreadable; its text names it."""


class _Bytes:
    """The bytes of a file, taken once from its beginning to its end; nothing is kept."""

    def __init__(self, ranges: Iterable[bytes]) -> None:
        self._ranges, self._range, self._at = iter(ranges), b"", 0

    def take(self, count: int) -> bytes:
        while len(self._range) - self._at < count:
            self._read_on()
        self._at += count
        return self._range[self._at - count : self._at]

    def skip(self, count: int) -> None:
        while (there := len(self._range) - self._at) < count:
            self._at, count = len(self._range), count - there
            self._read_on()
        self._at += count

    def skip_to_marker(self) -> None:
        while (found := MARKER.search(self._range, self._at)) is None:
            # Its two bytes may be in two ranges.
            self._at = max(self._at, len(self._range) - 1)
            self._read_on()
        self._at = found.start()

    def is_at_end(self) -> bool:
        return self._at == len(self._range) and not any(self._ranges)

    def _read_on(self) -> None:
        following = next(self._ranges, b"")
        if not following:
            raise _Left(UNREADABLE)
        self._range, self._at = self._range[self._at :] + following, 0


def metadata_in(kind: str, ranges: Iterable[bytes]) -> str:
    """
    Return the first metadata that a picture has; empty if it has none.

    Args:
        kind: ``JPEG``, ``PNG`` or ``WEBP``; a picture of another kind is unreadable.
        ranges: the whole file in pieces, none of them empty.
    """
    file = _Bytes(ranges)
    try:
        {JPEG: _check_jpeg, PNG: _check_png, WEBP: _check_webp}[kind](file)
    except _Left as left:
        return str(left)
    return "" if file.is_at_end() else AFTER_END


def kind_after_cleaning(beginning: bytes) -> str:
    """
    Return what a picture becomes: its own kind, ``JPEG`` if it is HEIC, empty if it cannot be cleaned.

    Args:
        beginning: its first bytes, of which HEIC has its brands in a box.
    """
    if beginning.startswith(b"\xff\xd8\xff"):
        return JPEG
    if beginning.startswith(PNG_START):
        return PNG
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return WEBP
    brands = re.findall(b"(?s).{4}", beginning[8 : int.from_bytes(beginning[:4])])
    is_heic = beginning[4:8] == b"ftyp" and HEIC_BRANDS.intersection(brands)
    # A sequence is an animation.
    return JPEG if is_heic and brands[0] not in (b"hevc", b"msf1") else ""


def why_not_cleaned(kind: str, ranges: Iterable[bytes]) -> str:
    """
    Return why a PNG or WebP picture should not be processed; empty if it may be.

    An animation would lose its motion. No page says that OSS turns these kinds by their EXIF: a picture that
    needs it could come out turned, with nothing left that says so.
    """
    file = _Bytes(ranges)
    try:
        for name, length in {PNG: _png_chunks, WEBP: _webp_chunks}[kind](file):
            if name in ANIMATION:
                return ANIMATED
            taken = min(length, MAX_EXIF_BYTES) if name in EXIF else 0
            if taken and _orientation(file.take(taken)) != 1:
                return TURNED
            file.skip(length - taken)
    except _Left as left:
        return str(left)
    return ""


def _check_jpeg(file: _Bytes) -> None:
    has_frame, marker = False, b""
    if file.take(2) != b"\xff\xd8":
        raise _Left(UNREADABLE)
    while (marker := file.take(2)) != bytes([0xFF, EOI]):
        prefix, code = marker
        length = int.from_bytes(file.take(2)) - 2
        if prefix != 0xFF or length < 0:
            raise _Left(UNREADABLE)
        if code in APPS:
            if not re.fullmatch(APPS[code], file.take(length), re.DOTALL):
                raise _Left(f"marker {code:02X}")
            continue
        if code not in (SOS, *TABLES, *FRAMES) or (has_frame and code in FRAMES):
            raise _Left(f"marker {code:02X}")
        has_frame = has_frame or code in FRAMES
        file.skip(length)
        if code == SOS:
            file.skip_to_marker()
    if not has_frame:
        raise _Left(UNREADABLE)


def _check_png(file: _Bytes) -> None:
    for name, length in _png_chunks(file):
        if length > PNG_CHUNKS.get(name, -1):
            raise _Left(_text(name))
        file.skip(length)


def _png_chunks(file: _Bytes) -> Iterator[tuple[bytes, int]]:
    """Return name and length of each chunk up to IEND; whoever iterates takes its data."""
    if file.take(8) != PNG_START:
        raise _Left(UNREADABLE)
    name = b""
    while name != b"IEND":
        length, name = struct.unpack(">I4s", file.take(8))
        yield name, length
        file.skip(4)


def _check_webp(file: _Bytes) -> None:
    seen: set[bytes] = set()
    for name, length in _webp_chunks(file):
        taken = min(length, 1) if name == b"VP8X" else 0
        flags = int.from_bytes(file.take(taken))
        if name not in WEBP_CHUNKS or name in seen or flags & ~WEBP_FLAGS:
            raise _Left(_text(name))
        file.skip(length - taken)
        seen.add(name)
    if len(seen.intersection(WEBP_PICTURES)) != 1:
        raise _Left(UNREADABLE)


def _webp_chunks(file: _Bytes) -> Iterator[tuple[bytes, int]]:
    """Return name and length of each chunk, padding included; whoever iterates takes its data."""
    riff, left, kind = struct.unpack("<4sI4s", file.take(12))
    if (riff, kind) != (b"RIFF", b"WEBP"):
        raise _Left(UNREADABLE)
    left -= 4
    while left > 0:
        name, length = struct.unpack("<4sI", file.take(8))
        length += length % 2
        left -= 8 + length
        yield name, length
    if left:
        raise _Left(UNREADABLE)


def _orientation(exif: bytes) -> int:
    """Return the orientation in EXIF: that of the picture, not of its thumbnail; 0 if unreadable."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        entries = [struct.unpack_from(f"{order}H6xH", tiff, at + 2 + 12 * number) for number in range(count)]
    except struct.error:
        return 0
    return dict(entries).get(ORIENTATION, 1) if order else 0


def _text(name: bytes) -> str:
    return name.decode("ascii").strip() if name.strip().isalnum() else UNREADABLE
