"""
Pictures really scaled, cut and encoded anew, with Pillow: what ``x-oss-process`` asks for.

Source: https://help.aliyun.com/zh/oss/user-guide/overview-17
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from local.oss.errors import OssError
from local.oss.image_info import heic_size
from local.oss.image_steps import IMAGE_TOO_LARGE, LONGEST_SIDE, NO_PICTURE, Step
from local.oss.kept_metadata import HEIC, metadata_of, options_for
from local.oss.resizing import cut_of, resizing_of
from local.oss.rules import OssRules

READABLE = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
LONGEST_SOURCE_SIDE = 30_000
MOST_SOURCE_PIXELS = 250_000_000
MOST_PIXELS = 16_777_216
LONGEST_SIDE_TURNED = 4096
# For animated GIFs alone.
FOR_ANIMATIONS = ("resize", "crop", "rotate")
DEFAULT_QUALITY = 80
DEFAULT_FRAME = (1280, 720)
GREY = "#808080"
# Names of OSS, by those of Pillow.
NAMES = {
    "JPEG": "jpg",
    "PNG": "png",
    "BMP": "bmp",
    "GIF": "gif",
    "WEBP": "webp",
    "TIFF": "tiff",
    HEIC: "heic",
}
# What a picture becomes without ``format``; of HEIC no page says.
WRITTEN_AS = {HEIC: "JPEG"}
WITH_ALPHA = ("PNG", "WEBP", "GIF", "TIFF")
# Held against the limits of OSS here, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Rendered:
    content_type: str
    data: bytes


def render(file: BinaryIO, steps: Sequence[Step], rules: OssRules) -> Rendered:
    """
    Apply steps to a picture.

    Raises:
        OssError: it is no picture, or it or the outcome is too large.
    """
    with _opened(file) as image:
        _check_steps(image, steps, rules)
        kind = WRITTEN_AS.get(image.format or "", image.format or "")
        if image.format == "PNG" and not rules.auto_orient_reads_png:
            steps = [step for step in steps if step.name != "auto-orient"]
        is_turned = any(step.name == "auto-orient" and step.number("") for step in steps)
        kept = metadata_of(image, file, is_turned, rules)
        changed: Image.Image = image
        for step in steps:
            changed = CHANGES.get(step.name, _as_it_is)(changed, step)
            if max(changed.size) > LONGEST_SIDE or changed.width * changed.height > MOST_PIXELS:
                raise OssError(IMAGE_TOO_LARGE)
        return _encoded(changed, kind, steps, kept)


def describe(file: BinaryIO, size: int) -> Rendered:
    """``image/info``: size, format, sides and all that EXIF holds, the place where it was taken included."""
    with _opened(file) as image:
        told = {
            "FileSize": str(size),
            "Format": NAMES[image.format or ""],
            "ImageHeight": str(image.height),
            "ImageWidth": str(image.width),
            **_exif(image),
        }
    text = json.dumps({name: {"value": value} for name, value in sorted(told.items())}, indent=2)
    return Rendered("application/json", text.encode())


def grey_frame(step: Step) -> Rendered:
    """A stand-in for a frame of a video, of the size and format asked for: nothing is decoded."""
    width, height = step.number("w") or 0, step.number("h") or 0
    default_width, default_height = DEFAULT_FRAME
    size = (
        width or (height * default_width // default_height or default_width),
        height or (width * default_height // default_width or default_height),
    )
    if max(size) > LONGEST_SIDE or size[0] * size[1] > MOST_PIXELS:
        raise OssError(IMAGE_TOO_LARGE)
    kind = "PNG" if step.values.get("f") == "png" else "JPEG"
    return _encoded(Image.new("RGB", size, GREY), kind, (), {})


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Image.Image]:
    try:
        if size := heic_size(file):
            _check_source(size)
            # A stand-in: nothing here decodes HEIC, which OSS does.
            grey = Image.new("RGB", size, GREY)
            grey.format = HEIC
            yield grey
            return
        with Image.open(file, formats=READABLE) as image:
            _check_source(image.size)
            yield image
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):  # what Pillow says of broken data
        raise OssError(NO_PICTURE) from None


def _check_source(size: tuple[int, int]) -> None:
    if max(size) > LONGEST_SOURCE_SIDE or size[0] * size[1] > MOST_SOURCE_PIXELS:
        raise OssError(IMAGE_TOO_LARGE)


def _check_steps(image: Image.Image, steps: Sequence[Step], rules: OssRules) -> None:
    is_turned = any(step.name == "auto-orient" and step.number("") for step in steps)
    if is_turned and rules.auto_orient_is_bounded and max(image.size) > LONGEST_SIDE_TURNED:
        raise OssError(IMAGE_TOO_LARGE)
    is_allowed = image.format == "GIF" and all(step.name in FOR_ANIMATIONS for step in steps)
    if rules.animations_are_refused and getattr(image, "is_animated", False) and not is_allowed:
        raise OssError(NO_PICTURE)


def _resized(image: Image.Image, step: Step) -> Image.Image:
    plan = resizing_of(step, image.size)
    if max(plan.canvas) > LONGEST_SIDE or plan.scaled[0] * plan.scaled[1] > 4 * MOST_PIXELS:
        raise OssError(IMAGE_TOO_LARGE)
    scaled = _in_colours(image).resize(plan.scaled, Image.Resampling.LANCZOS)
    if plan.canvas == plan.scaled:
        return scaled
    left, top = ((canvas - side) // 2 for canvas, side in zip(plan.canvas, plan.scaled, strict=True))
    if step.values["m"] == "fill":
        return scaled.crop((-left, -top, -left + plan.canvas[0], -top + plan.canvas[1]))
    padded = Image.new(scaled.mode, plan.canvas, f"#{step.values.get('color', 'FFFFFF')}")
    padded.paste(scaled, (left, top))
    return padded


def _cropped(image: Image.Image, step: Step) -> Image.Image:
    return image.crop(cut_of(step, image.size))


def _rotated(image: Image.Image, step: Step) -> Image.Image:
    angle = step.number("") or 0
    return _in_colours(image).rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor="#FFFFFF")


def _upright(image: Image.Image, step: Step) -> Image.Image:
    return ImageOps.exif_transpose(image) if step.number("") else image


def _as_it_is(image: Image.Image, step: Step) -> Image.Image:
    return image


CHANGES: dict[str, Callable[[Image.Image, Step], Image.Image]] = {
    "resize": _resized,
    "crop": _cropped,
    "rotate": _rotated,
    "auto-orient": _upright,
}


def _in_colours(image: Image.Image) -> Image.Image:
    """Palettes and print colours cannot be scaled as they are."""
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _encoded(image: Image.Image, kind: str, steps: Sequence[Step], kept: Mapping[str, Any]) -> Rendered:
    wanted = {step.name: step for step in steps}
    if "format" in wanted:
        kind = {name: known for known, name in NAMES.items()}[wanted["format"].values[""]]
    options = options_for(kind, kept, image.info.get("icc_profile"))
    if kind in ("JPEG", "WEBP"):
        qualities = wanted["quality"].values if "quality" in wanted else {}
        options["quality"] = int(qualities.get("Q") or qualities.get("q") or DEFAULT_QUALITY)
    if kind == "JPEG":
        options["progressive"] = "interlace" in wanted and wanted["interlace"].values[""] == "1"
    encoded, drawn = io.BytesIO(), _for_kind(image, kind)
    # Pillow writes some of what it read by itself.
    drawn.info = {}
    drawn.save(encoded, kind, **options)
    return Rendered(Image.MIME[kind], encoded.getvalue())


def _for_kind(image: Image.Image, kind: str) -> Image.Image:
    image = _in_colours(image)
    if kind in WITH_ALPHA or image.mode == "RGB":
        return image
    # What cannot be transparent becomes white, as in OSS.
    return Image.alpha_composite(Image.new("RGBA", image.size, "#FFFFFF"), image).convert("RGB")


def _exif(image: Image.Image) -> dict[str, str]:
    exif = image.getexif()
    found = {ExifTags.TAGS.get(tag, ""): value for tag, value in exif.items()}
    found |= {
        ExifTags.GPSTAGS.get(tag, ""): value for tag, value in exif.get_ifd(ExifTags.IFD.GPSInfo).items()
    }
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in found.items()
        if name and name not in ("GPSInfo", "ExifOffset")
    }
