"""
The sizes of a resized or cropped picture: arithmetic, nothing of pixels.

Source: https://help.aliyun.com/zh/oss/user-guide/resize-images-4
"""

from dataclasses import dataclass

from local.oss.errors import OssError
from local.oss.image_steps import CUT_OUTSIDE, GRAVITIES, Step

Size = tuple[int, int]


@dataclass(frozen=True)
class Resizing:
    """
    Args:
        scaled: what the picture is scaled to.

        canvas: what is then cut out of its middle, or filled up around it.
    """

    scaled: Size
    canvas: Size


def resizing_of(step: Step, size: Size) -> Resizing:
    """Of a picture of this size; it is only enlarged with ``limit_0``."""
    width, height = size
    mode = step.values.get("m", "lfit")
    percent = step.number("p")
    wanted_width, wanted_height = _sides(step, size)
    if percent is not None and wanted_width is None and wanted_height is None:
        found = _all(_times(size, percent / 100))
    elif mode == "fixed":
        ratio = (wanted_width or 0) / width or (wanted_height or 0) / height
        whole = (wanted_width or _side(width * ratio), wanted_height or _side(height * ratio))
        found = _all(whole)
    else:
        # Where one side alone is named, no page says what the other is: as long, where a frame is filled.
        if mode in ("fill", "pad"):
            wanted_width = wanted_width or wanted_height
            wanted_height = wanted_height or wanted_width
        ratios = [
            wanted / actual
            for wanted, actual in ((wanted_width, width), (wanted_height, height))
            if wanted is not None
        ]
        ratio = max(ratios) if mode in ("mfit", "fill") else min(ratios)
        scaled = _times(size, ratio)
        frame = (wanted_width or scaled[0], wanted_height or scaled[1])
        found = Resizing(scaled, frame) if mode in ("fill", "pad") else _all(scaled)
    grows = found.scaled[0] > width or found.scaled[1] > height
    return _all(size) if grows and step.values.get("limit") != "0" else found


def cut_of(step: Step, size: Size) -> tuple[int, int, int, int]:
    """
    Left, top, right and bottom of what is cropped; what reaches over the edge ends there.

    Raises:
        OssError: all of it is outside.
    """
    width, height = size
    cut_width, cut_height = step.number("w") or width, step.number("h") or height
    column, row = reversed(divmod(GRAVITIES.index(step.values.get("g", "nw")), 3))
    left = (width - cut_width) * column // 2 + (step.number("x") or 0)
    top = (height - cut_height) * row // 2 + (step.number("y") or 0)
    if left >= width or top >= height:
        raise OssError(CUT_OUTSIDE)
    return max(left, 0), max(top, 0), min(left + cut_width, width), min(top + cut_height, height)


def _sides(step: Step, size: Size) -> tuple[int | None, int | None]:
    """Width and height wanted, where ``l`` is the longer one's and ``s`` the shorter one's."""
    longer, shorter = step.number("l"), step.number("s")
    if size[0] < size[1]:
        longer, shorter = shorter, longer
    return step.number("w") or longer, step.number("h") or shorter


def _all(size: Size) -> Resizing:
    return Resizing(size, size)


def _times(size: Size, ratio: float) -> Size:
    return _side(size[0] * ratio), _side(size[1] * ratio)


def _side(length: float) -> int:
    return max(round(length), 1)
