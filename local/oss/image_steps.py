"""
Steps of an ``x-oss-process`` value in order, names and numbers checked.

Source: https://help.aliyun.com/zh/oss/user-guide/overview-17
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.oss import errors
from local.oss.errors import OssError, Refusal, invalid_argument

# Codes as documented; status and text of these are ours, but for the last one's.
IMAGE_TOO_LARGE = Refusal(400, "ImageTooLarge", "The picture is larger than can be processed.")
NO_SUCH_STYLE = Refusal(404, "NoSuchStyle", "The specified style does not exist.")
NO_PICTURE = Refusal(400, "BadRequest", "This image format is not supported.")
CUT_OUTSIDE = Refusal(400, "BadRequest", "Advance cut's position is out of image.")

Choices = range | frozenset[str] | re.Pattern[str]

LONGEST_SIDE = 16_384
SIDE = range(1, LONGEST_SIDE + 1)
PLACE = range(30_001)
SWITCH = range(2)
GRAVITIES = ("nw", "north", "ne", "west", "center", "east", "sw", "south", "se")
# By its name, what each step takes; an empty name stands for the value itself, as in ``format,jpg``.
IMAGE_STEPS: Mapping[str, Mapping[str, Choices]] = {
    "resize": {
        "m": frozenset({"lfit", "mfit", "fill", "pad", "fixed"}),
        **dict.fromkeys("whls", SIDE),
        "limit": SWITCH,
        "color": re.compile("[0-9A-Fa-f]{6}"),
        "p": range(1, 1001),
    },
    "crop": {"w": SIDE, "h": SIDE, "x": PLACE, "y": PLACE, "g": frozenset(GRAVITIES)},
    "quality": {"q": range(1, 101), "Q": range(1, 101)},
    "format": {"": frozenset({"jpg", "png", "webp", "bmp", "gif", "tiff"})},
    "auto-orient": {"": SWITCH},
    "rotate": {"": range(361)},
    "interlace": {"": SWITCH},
    "info": {},
}
VIDEO_STEPS: Mapping[str, Mapping[str, Choices]] = {
    "snapshot": {
        "t": range(10**9),
        "f": frozenset({"jpg", "png"}),
        "w": range(LONGEST_SIDE + 1),
        "h": range(LONGEST_SIDE + 1),
        "m": frozenset({"fast"}),
        "ar": frozenset({"auto", "h", "w"}),
    }
}
# One of each line has to be there.
NEEDED = {"resize": set("whlsp"), "quality": set("qQ"), "snapshot": {"t"}}
# What the real OSS knows and the local one does not do.
NOT_DONE = frozenset(
    "circle rounded-corners indexcrop blur sharpen bright contrast watermark average-hue blindwatermark"
    " bgr deblur segment".split()
)


@dataclass(frozen=True)
class Step:
    """
    One step.

    Args:
        values: by name, checked; numbers are still text.
    """

    name: str
    values: Mapping[str, str]

    def number(self, name: str) -> int | None:
        return int(self.values[name]) if name in self.values else None


def read_steps(text: str, known: Mapping[str, Mapping[str, Choices]]) -> tuple[Step, ...]:
    """
    Args:
        text: after ``image/`` or ``video/``.

    Raises:
        OssError: a step or value that there is none of; 501 for one that is not done here.
    """
    steps = tuple(_step(part, known) for part in text.split("/"))
    if len(steps) > 1 and any(step.name in ("info", "snapshot") for step in steps):
        raise _wrong(text)
    return steps


def _step(text: str, known: Mapping[str, Mapping[str, Choices]]) -> Step:
    name, *given = text.split(",")
    if name in NOT_DONE:
        raise OssError(errors.NOT_IMPLEMENTED)
    if name not in known:
        raise _wrong(text)
    choices = known[name]
    values: dict[str, str] = {}
    for one in given:
        parameter, value = ("", one) if "" in choices else one.partition("_")[::2]
        if parameter in values or parameter not in choices or not _is_in(value, choices[parameter]):
            raise _wrong(text)
        values[parameter] = value
    if not set(values) & NEEDED.get(name, set(values)) and choices:
        raise _wrong(text)
    return Step(name, values)


def _is_in(value: str, choices: Choices) -> bool:
    if isinstance(choices, range):
        return re.fullmatch("[0-9]{1,9}", value) is not None and int(value) in choices
    if isinstance(choices, frozenset):
        return value in choices
    return choices.fullmatch(value) is not None


def _wrong(text: str) -> OssError:
    # OSS's own text is in no public page.
    return invalid_argument("The processing is not supported.", errors.NO_PUBLIC_EC, "x-oss-process", text)
