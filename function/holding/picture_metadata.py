"""
Metadata in a picture, by its own bytes: JPEG segments, PNG chunks and WebP chunks, walked to the end; pure.

Only what an encoder needs to draw the picture may be there: its data and tables, size, density and colours.
A colour profile stays, because the colours of most phones are wrong without it. EXIF, XMP, IPTC, texts,
comments, thumbnails, further pictures, bytes after the end, and whatever is unknown or unreadable, count as
metadata. The data of the picture itself is not decoded.

Source: ITU-T T.81 and T.871 (JPEG)
"""

import re
import struct
from collections.abc import Iterable, Iterator

from function.moderation import picture_structure

UNREADABLE, AFTER_END, ANIMATED, TURNED = "unreadable", "bytes after the end", "animated", "turned"
APP0, APP2, APP14 = 0xE0, 0xE2, 0xEE
# Tables, restart interval, and the frames that encoders write: baseline, extended, progressive.
TABLES, FRAMES = (0xDB, 0xC4, 0xDD), (0xC0, 0xC1, 0xC2)
# JFIF without a thumbnail, one piece of a colour profile, Adobe's colour transform.
APPS = {APP0: rb"JFIF\0.{7}\0\0", APP2: rb"ICC_PROFILE\0.{2}.*", APP14: rb"Adobe.{7}"}
# Applications, extensions and comments: no decoder needs one that is not above.
REMOVABLE = range(APP0, 0xFF)
MAX_CHUNK = 2**31 - 1
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


# First byte, and the one behind the last; metadata with its name and place.
Span = tuple[int, int]
Found = Iterator[tuple[str, Span]]


class _Metadata(Exception):
    """Metadata that cannot be cut out; the text names it."""


def metadata_in(kind: str, file: picture_structure.PictureFile) -> tuple[str, list[Span]]:
    """
    Return the first metadata that a picture has, empty if it has none, and where all of it stands.

    Args:
        kind: ``JPEG``, ``PNG`` or ``WEBP``; a picture of another kind is unreadable.

    Returns:
        no places if it cannot be cut out: the rest would be no picture, or another one.
    """
    walk = {
        picture_structure.JPEG: _jpeg_metadata,
        picture_structure.PNG: _png_metadata,
        picture_structure.WEBP: _webp_metadata,
    }[kind]
    left, spans = "", []
    try:
        for name, span in walk(file):
            left = left or name
            spans.append(span)
    except _Metadata as found:
        return left or str(found), []
    except picture_structure.Unreadable:
        return left or UNREADABLE, []
    if file.at != file.size_bytes:
        left = left or AFTER_END
        spans.append((file.at, file.size_bytes))
    return left, spans


def without(kind: str, data: bytes, spans: Iterable[Span]) -> bytes:
    """Return a picture without these pieces; everything else stays as it is, but for what counts them."""
    kept, at = bytearray(), 0
    for begin, end in spans:
        kept += data[at:begin]
        at = end
    kept += data[at:]
    if kind == picture_structure.WEBP:
        kept[4:8] = (len(kept) - 8).to_bytes(4, "little")
        if kept[12:16] == b"VP8X":
            kept[20] &= WEBP_FLAGS
    return bytes(kept)


def kind_after_cleaning(beginning: bytes) -> str:
    """
    Return what a picture becomes: its own kind, ``JPEG`` if it is HEIC, empty if it cannot be cleaned.

    Args:
        beginning: its first bytes, of which HEIC has its brands in a box.
    """
    kind = picture_structure.kind_of(beginning)
    if kind in (picture_structure.JPEG, picture_structure.PNG, picture_structure.WEBP):
        return kind
    brands = picture_structure.brands_of(beginning)
    is_heic = picture_structure.HEIC_BRANDS.intersection(brands)
    # A sequence is an animation.
    return picture_structure.JPEG if is_heic and brands[0] not in picture_structure.SEQUENCES else ""


def why_not_cleaned(kind: str, file: picture_structure.PictureFile) -> str:
    """
    Return why a PNG or WebP picture should not be processed; empty if it may be.

    An animation would lose its motion. No page says that OSS turns these kinds by their EXIF: a picture that
    needs it could come out turned, with nothing left that says so.
    """
    chunks = picture_structure.png_chunks if kind == picture_structure.PNG else picture_structure.webp_chunks
    try:
        for name, length in chunks(file):
            if name in ANIMATION:
                return ANIMATED
            if name in EXIF and length and _orientation(file.take(min(length, MAX_EXIF_BYTES))) != 1:
                return TURNED
    except picture_structure.Unreadable:
        return UNREADABLE
    return ""


def _jpeg_metadata(file: picture_structure.PictureFile) -> Found:
    has_frame = False
    for code, length in picture_structure.jpeg_segments(file):
        name, span = f"marker {code:02X}", (file.at - 4, file.at + length)
        if code in REMOVABLE:
            body = file.take(length)
            if not re.fullmatch(APPS.get(code, rb"(?!)"), body, re.DOTALL):
                # Without it the colours would be others.
                if body.startswith(b"Adobe"):
                    raise _Metadata(name)
                yield name, span
        elif code not in (picture_structure.JPEG_SCAN, *TABLES, *FRAMES) or (has_frame and code in FRAMES):
            raise _Metadata(name)
        has_frame = has_frame or code in FRAMES
    if not has_frame:
        raise picture_structure.Unreadable


def _png_metadata(file: picture_structure.PictureFile) -> Found:
    for name, length in picture_structure.png_chunks(file):
        if length > PNG_CHUNKS.get(name, -1):
            # A capital letter: no decoder can do without it.
            if name in ANIMATION or not name[0] & 0x20:
                raise _Metadata(_text(name))
            yield _text(name), (file.at - 8, file.at + length + 4)


def _webp_metadata(file: picture_structure.PictureFile) -> Found:
    seen: set[bytes] = set()
    for name, length in picture_structure.webp_chunks(file):
        flags = file.ahead(1)[0] if name == b"VP8X" and length else 0
        if name in seen or name in ANIMATION or flags & picture_structure.WEBP_FLAG:
            raise _Metadata(_text(name))
        if name not in WEBP_CHUNKS:
            yield _text(name), (file.at - 8, min(file.at + length + length % 2, file.size_bytes))
        elif flags & ~WEBP_FLAGS:
            yield _text(name), (file.at, file.at)
        seen.add(name)
    if len(seen.intersection(WEBP_PICTURES)) != 1:
        raise picture_structure.Unreadable


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
