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

from function.moderation import pictures

UNREADABLE, AFTER_END, ANIMATED, TURNED = "unreadable", "bytes after the end", "animated", "turned"
SOS, EOI, APP0, APP2, APP14 = 0xDA, 0xD9, 0xE0, 0xE2, 0xEE
# Tables, restart interval, and the frames that encoders write: baseline, extended, progressive.
TABLES, FRAMES = (0xDB, 0xC4, 0xDD), (0xC0, 0xC1, 0xC2)
# JFIF without a thumbnail, one piece of a colour profile, Adobe's colour transform.
APPS = {APP0: rb"JFIF\0.{7}\0\0", APP2: rb"ICC_PROFILE\0.{2}.*", APP14: rb"Adobe.{7}"}
# Behind entropy-coded data: neither a stuffed byte nor a restart.
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
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
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}


class _Metadata(Exception):
    """Metadata; the text names it."""


def metadata_in(kind: str, file: pictures.PictureFile) -> str:
    """
    Return the first metadata that a picture has; empty if it has none.

    Args:
        kind: ``JPEG``, ``PNG`` or ``WEBP``; a picture of another kind is unreadable.
    """
    try:
        {pictures.JPEG: _check_jpeg, pictures.PNG: _check_png, pictures.WEBP: _check_webp}[kind](file)
    except _Metadata as left:
        return str(left)
    except pictures.Unreadable:
        return UNREADABLE
    return "" if file.at == file.size_bytes else AFTER_END


def kind_after_cleaning(beginning: bytes) -> str:
    """
    Return what a picture becomes: its own kind, ``JPEG`` if it is HEIC, empty if it cannot be cleaned.

    Args:
        beginning: its first bytes, of which HEIC has its brands in a box.
    """
    kind = pictures.kind_of(beginning)
    if kind in (pictures.JPEG, pictures.PNG, pictures.WEBP):
        return kind
    brands = pictures.brands_of(beginning)
    is_heic = HEIC_BRANDS.intersection(brands)
    # A sequence is an animation.
    return pictures.JPEG if is_heic and brands[0] not in pictures.SEQUENCES else ""


def why_not_cleaned(kind: str, file: pictures.PictureFile) -> str:
    """
    Return why a PNG or WebP picture should not be processed; empty if it may be.

    An animation would lose its motion. No page says that OSS turns these kinds by their EXIF: a picture that
    needs it could come out turned, with nothing left that says so.
    """
    chunks = pictures.png_chunks if kind == pictures.PNG else pictures.webp_chunks
    try:
        for name, length in chunks(file):
            if name in ANIMATION:
                return ANIMATED
            if name in EXIF and length and _orientation(file.take(min(length, MAX_EXIF_BYTES))) != 1:
                return TURNED
    except pictures.Unreadable:
        return UNREADABLE
    return ""


def _check_jpeg(file: pictures.PictureFile) -> None:
    has_frame, marker = False, b""
    if file.take(2) != b"\xff\xd8":
        raise pictures.Unreadable
    while (marker := file.take(2)) != bytes([0xFF, EOI]):
        prefix, code = marker
        length = int.from_bytes(file.take(2)) - 2
        if prefix != 0xFF or length < 0:
            raise pictures.Unreadable
        if code in APPS:
            if not re.fullmatch(APPS[code], file.take(length), re.DOTALL):
                raise _Metadata(f"marker {code:02X}")
            continue
        if code not in (SOS, *TABLES, *FRAMES) or (has_frame and code in FRAMES):
            raise _Metadata(f"marker {code:02X}")
        has_frame = has_frame or code in FRAMES
        file.skip(length)
        if code == SOS:
            file.skip_to(MARKER)
    if not has_frame:
        raise pictures.Unreadable


def _check_png(file: pictures.PictureFile) -> None:
    for name, length in pictures.png_chunks(file):
        if length > PNG_CHUNKS.get(name, -1):
            raise _Metadata(_text(name))


def _check_webp(file: pictures.PictureFile) -> None:
    seen: set[bytes] = set()
    for name, length in pictures.webp_chunks(file):
        flags = file.ahead(1)[0] if name == b"VP8X" and length else 0
        if name not in WEBP_CHUNKS or name in seen or flags & ~WEBP_FLAGS:
            raise _Metadata(_text(name))
        seen.add(name)
    if len(seen.intersection(WEBP_PICTURES)) != 1:
        raise pictures.Unreadable


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
