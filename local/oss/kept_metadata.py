"""Metadata of a picture that may survive its processing: read, and written anew as far as the rules say."""

import re
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo, iTXt

from local.oss.rules import OssRules

HEIC = "HEIC"
# In a TIFF it is the picture's own structure.
WITH_EXIF = ("JPEG", "PNG", "WEBP", HEIC)
XMP_OF_PNG = "XML:com.adobe.xmp"
CHUNK_OF_C2PA = b"caBX"
EXIF_OF_HEIC = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
XMP_OF_HEIC = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
MOST_BYTES_OF_EXIF = 60_000


def metadata_of(image: Image.Image, file: BinaryIO, is_turned: bool, rules: OssRules) -> dict[str, Any]:
    """
    Args:
        is_turned: True if the pixels are turned by EXIF, which must not say so a second time.
    """
    # A PNG may have metadata behind its pixels.
    image.load()
    found: dict[str, Any] = {}
    if rules.variants_keep_exif:
        found |= _exif_and_iptc(image, file, is_turned)
    if rules.variants_keep_xmp and (xmp := _xmp_of_heic(file, image) or image.info.get("xmp")):
        found["xmp"] = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    if rules.variants_keep_texts and image.format == "PNG":
        found["texts"] = {
            name: text for name, text in getattr(image, "text", {}).items() if name != XMP_OF_PNG
        }
    if rules.variants_keep_app11:
        found["app11"] = _segments(image, "APP11")
        chunks = getattr(image, "private_chunks", ())
        found["chunks"] = [chunk[1] for chunk in chunks if chunk[0] == CHUNK_OF_C2PA]
    return found


def options_for(kind: str, kept: Mapping[str, Any], colours: bytes | None) -> dict[str, Any]:
    """
    Return what Pillow's ``save`` is told for a picture of this kind.

    Args:
        colours: the colour profile, without which the same pixels show other colours.
    """
    options: dict[str, Any] = {}
    if colours and kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        options["icc_profile"] = colours
    if kind in ("JPEG", "PNG", "WEBP") and "exif" in kept:
        options["exif"] = kept["exif"]
    if kind in ("JPEG", "WEBP") and "xmp" in kept:
        options["xmp"] = kept["xmp"]
    if kind == "JPEG" and kept:
        options["comment"] = kept.get("comment", b"")
        options["extra"] = b"".join(
            marker + struct.pack(">H", len(data) + 2) + data
            for marker, name in ((b"\xff\xeb", "app11"), (b"\xff\xed", "app13"))
            for data in kept.get(name, ())
        )
    if kind == "PNG" and kept:
        options["pnginfo"] = _png_chunks(kept)
    return options


def _png_chunks(kept: Mapping[str, Any]) -> PngInfo:
    chunks = PngInfo()
    if "xmp" in kept:
        chunks.add_itxt(XMP_OF_PNG, kept["xmp"].decode("utf-8", "replace"))
    for name, text in kept.get("texts", {}).items():
        (chunks.add_itxt if isinstance(text, iTXt) else chunks.add_text)(name, text)
    for data in kept.get("chunks", ()):
        chunks.add(CHUNK_OF_C2PA, data)
    return chunks


def _exif_and_iptc(image: Image.Image, file: BinaryIO, is_turned: bool) -> dict[str, Any]:
    """With the comment of a JPEG or GIF."""
    found: dict[str, Any] = {"app13": _segments(image, "APP13")}
    exif = Image.Exif()
    if image.format in WITH_EXIF:
        exif.load(_exif_of_heic(file) if image.format == HEIC else image.getexif().tobytes())
    if is_turned:
        exif.pop(ExifTags.Base.Orientation, None)
    if exif:
        found["exif"] = exif
    if comment := image.info.get("comment"):
        found["comment"] = comment
    return found


def _segments(image: Image.Image, wanted: str) -> list[bytes]:
    """Application segments of a JPEG."""
    return [data for name, data in getattr(image, "applist", ()) if name == wanted]


def _xmp_of_heic(file: BinaryIO, image: Image.Image) -> bytes | None:
    """As its EXIF: found by how it begins, and ends."""
    if image.format != HEIC:
        return None
    file.seek(0)
    found = XMP_OF_HEIC.search(file.read())
    return found and found[0]


def _exif_of_heic(file: BinaryIO) -> bytes:
    """Nothing here reads the boxes of HEIC; its EXIF is found by how it begins."""
    file.seek(0)
    content = file.read()
    found = EXIF_OF_HEIC.search(content)
    return content[found.start() :][:MOST_BYTES_OF_EXIF] if found else b""
