"""Reads the label of an object from its own bytes, by few bounded ranges."""

from collections.abc import Callable

from function.ai_label.label import AiLabel
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts


class OutOfTime(Exception):
    """Raised where the time is used up: a later request reads the object."""


def examine(
    oss: OssClient, key: str, facts: ObjectFacts, seconds_left: Callable[[], float]
) -> AiLabel | None:
    """
    Return the label that an object carries, or ``NOTHING``.

    Args:
        facts: of the object; other bytes are not read.
        seconds_left: until the response must be sent.

    Returns:
        ``None`` if it cannot be said: another kind of file, compressed, malformed, or beyond the bounds.

    Raises:
        OutOfTime: no time is left.
        UploadError: OSS refuses, or does not respond, or the object was replaced.
    """
    raise NotImplementedError
