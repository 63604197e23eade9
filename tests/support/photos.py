"""Photos that hold all that a camera writes: EXIF with a place, XMP, IPTC, comments, trailing bytes."""

import io
import struct
from random import Random
from typing import Any, NamedTuple

from PIL import Image
from PIL.PngImagePlugin import PngInfo

# The four quarters as a person sees them: top left, top right, bottom left, bottom right.
QUARTERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 40))
# Names where photos hide a place or a person; none may be in what is published.
SECRETS = (b"GPSSECRET", b"XMPSECRET", b"IPTCSECRET", b"TEXTSECRET", b"THUMBSECRET", b"TAILSECRET")
ORIENTATION, GPS = 0x0112, 0x8825
# How the pixels lie that EXIF turns back.
LAID = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIC": "image/heic"}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">XMPSECRET exif:GPSLatitude="31,13N"</x:xmpmeta>'
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x5a\0\x0aIPTCSECRET"


class Photo(NamedTuple):
    """
    A photo as a phone sends it.

    Args:
        kind: ``JPEG``, ``PNG``, ``WEBP`` or ``HEIC``, which is boxes without pixels: nothing encodes it.

        orientation: that its EXIF asks for; ``1`` without EXIF.

        is_clean: whether it has no metadata at all.
    """

    kind: str
    data: bytes
    orientation: int
    is_clean: bool

    @property
    def content_type(self) -> str:
        return MIME[self.kind]


def photo(dice: Random) -> Photo:
    """Make one of the photos that there are."""
    kind = dice.choice(("JPEG", "JPEG", "JPEG", "PNG", "WEBP", "HEIC"))
    orientation = dice.choice((0, *range(1, 9)))
    exif = _exif(orientation, dice) if orientation else None
    if kind == "HEIC":
        inner = exif.tobytes() if exif else b""
        return Photo(kind, _heic(inner), orientation or 1, not exif)
    options = _options(kind, dice)
    if exif:
        options["exif"] = exif
    file, is_progressive = io.BytesIO(), dice.random() < 0.3
    _pixels(orientation, dice).save(file, kind, progressive=is_progressive, **options)
    tail = b"TAILSECRET" * dice.choice((0, 0, 0, 1, 300))
    return Photo(kind, file.getvalue() + tail, orientation or 1, not options and not tail)


def _pixels(orientation: int, dice: Random) -> Image.Image:
    width, height = dice.choice(((48, 32), (32, 48), (40, 40)))
    image = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for number, colour in enumerate(QUARTERS):
        left, top = number % 2 * half[0], number // 2 * half[1]
        image.paste(colour, (left, top, left + half[0], top + half[1]))
    return image.transpose(LAID[orientation]) if orientation in LAID else image


def _exif(orientation: int, dice: Random) -> Image.Exif:
    exif = Image.Exif()
    exif.endian = dice.choice("<>")
    exif[ORIENTATION] = orientation
    exif[0x0110] = "Phone 9"
    if dice.random() < 0.8:
        place = exif.get_ifd(GPS)
        place[1], place[2] = "N", (31.0, 13.0, 49.0)
        place[18] = "GPSSECRET"
    if dice.random() < 0.4:
        # As the maker's note, in which cameras put what they like.
        exif[0x927C] = b"THUMBSECRET" * 20
    return exif


def _options(kind: str, dice: Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP") and dice.random() < 0.4:
        options["xmp"] = XMP
    if kind == "JPEG":
        if dice.random() < 0.4:
            options["comment"] = b"TEXTSECRET"
        if dice.random() < 0.4:
            extra = [(0xED, IPTC), (0xE2, b"FPXR\0THUMBSECRET"), (0xEB, b"TEXTSECRET")]
            chosen = dice.sample(extra, dice.randint(1, 3))
            options["extra"] = b"".join(
                struct.pack(">BBH", 0xFF, code, len(data) + 2) + data for code, data in chosen
            )
    if kind == "PNG" and dice.random() < 0.5:
        texts = options["pnginfo"] = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        texts.add_text("Comment", "TEXTSECRET", zip=dice.random() < 0.5)
        texts.add(b"prVt", b"THUMBSECRET")
    return options


def _heic(exif: bytes) -> bytes:
    size = b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", 40, 40)
    meta = struct.pack(">I", len(size) + 12) + b"meta\0\0\0\0" + size
    box = struct.pack(">I", len(exif) + 8) + b"mdat" + exif
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + meta + box


def secrets_in(data: bytes) -> list[str]:
    """
    Find what must not be published, by an independent look: in the raw bytes, by Pillow, and behind the end.
    """
    found = [secret.decode() for secret in (*SECRETS, b"Exif", b"GPS", b"Phone 9") if secret in data]
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        exif = image.getexif()
        found += ["EXIF"] if exif else []
        found += ["place"] if exif.get_ifd(GPS) else []
        told = set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive"}
        told -= {"progression", "loop", "background", "timestamp", "duration", "icc_profile", "dpi"}
        found += [f"info {name}" for name in sorted(told)]
    ends = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND\xaeB`\x82"}.get(data[:2])
    if ends and not data.endswith(ends):
        found.append("bytes after the end")
    return found


def is_upright(data: bytes) -> bool:
    """Return whether the quarters of a picture are where a person saw them, without being turned."""
    with Image.open(io.BytesIO(data)) as image:
        seen = image.convert("RGB")
        width, height = seen.size
        for number, colour in enumerate(QUARTERS):
            at = (number % 2 * width // 2 + width // 4, number // 2 * height // 2 + height // 4)
            pixel = seen.getpixel(at)
            assert isinstance(pixel, tuple)
            if any(abs(a - b) > 70 for a, b in zip(pixel, colour, strict=True)):
                return False
        return bool(image.getexif().get(ORIENTATION, 1) == 1)
