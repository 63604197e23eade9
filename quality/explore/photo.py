"""Photos of one colour that say where they were taken, and what a picture made from one of them shows."""

import io
from functools import cache

from PIL import Image

from tests.support.memory_oss import Part, Stored
from tests.support.photos import secrets_in

# What phones send, by name: good; bad; such that Aliyun leaves it to a human, and WeChat finds it good.
BYTES, OTHERS, DOUBTFUL = "bytes", "others", "doubtful"
COLOURS = {BYTES: (220, 30, 30), OTHERS: (30, 30, 220)}
CAMERA = 0x0110


@cache
def photo_of(name: str) -> bytes:
    """A small photo with EXIF."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[CAMERA] = "Phone 9"
    Image.new("RGB", (8, 8), COLOURS[name]).save(file, "JPEG", exif=exif)
    return file.getvalue()


def photo_in(key: str, name: str) -> bytes:
    """The body that is sent under this key: a photo where pictures are cleaned, else a name alone."""
    return photo_of(name) if key.removeprefix("held/").startswith("clean") else b""


def stored_photo(key: str, name: str) -> tuple[Part, bytes]:
    """What OSS has under a key once these bytes were sent there."""
    body = photo_in(key, name)
    return Part(name, len(body) or 1), body


def etag_of(key: str, name: str) -> str:
    part, body = stored_photo(key, name)
    return Stored((part,), {}, "private", "Normal", body).etag


@cache
def original_of(picture: bytes) -> tuple[str, bool]:
    """The name of the photo that a picture shows, and whether the picture says nothing else."""
    with Image.open(io.BytesIO(picture)) as image:
        red, _, blue = image.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    return (BYTES if red > blue else OTHERS), not secrets_in(picture)
