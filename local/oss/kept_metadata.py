"""
Metadata of a picture that may survive its processing: EXIF, XMP, IPTC and comments, read and written anew.
"""

import re
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

HEIC = "HEIC"
# In a TIFF it is the picture's own structure.
WITH_EXIF = ("JPEG", "PNG", "WEBP", HEIC)
XMP_OF_PNG = "XML:com.adobe.xmp"
EXIF_OF_HEIC = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
MOST_BYTES_OF_EXIF = 60_000


def metadata_of(image: Image.Image, file: BinaryIO, is_turned: bool) -> dict[str, Any]:
    """
    Args:
        is_turned: True if the pixels are turned by EXIF, which must not say so a second time.
    """
    found: dict[str, Any] = {}
    exif = Image.Exif()
    if image.format in WITH_EXIF:
        exif.load(_exif_of_heic(file) if image.format == HEIC else image.getexif().tobytes())
    if is_turned:
        exif.pop(ExifTags.Base.Orientation, None)
    if exif:
        found["exif"] = exif
    if xmp := image.info.get("xmp"):
        found["xmp"] = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    if comment := image.info.get("comment"):
        found["comment"] = comment
    # IPTC, as JPEG has it.
    found["app13"] = [data for name, data in getattr(image, "applist", ()) if name == "APP13"]
    found["texts"] = dict(getattr(image, "text", {})) if image.format == "PNG" else {}
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
            b"\xff\xed" + struct.pack(">H", len(data) + 2) + data for data in kept["app13"]
        )
    if kind == "PNG" and kept:
        xmp = {XMP_OF_PNG: kept["xmp"].decode("utf-8", "replace")} if "xmp" in kept else {}
        options["pnginfo"] = PngInfo()
        for name, text in {**xmp, **kept["texts"]}.items():
            options["pnginfo"].add_itxt(name, text)
    return options


def _exif_of_heic(file: BinaryIO) -> bytes:
    """Nothing here reads the boxes of HEIC; its EXIF is found by how it begins."""
    file.seek(0)
    content = file.read()
    found = EXIF_OF_HEIC.search(content)
    return content[found.start() :][:MOST_BYTES_OF_EXIF] if found else b""
