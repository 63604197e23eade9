"""
Types of pastes that ``explain`` understands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.terminal.language import Text


class Unreadable(Exception):
    """
    Raised for what is none of the things ``explain`` knows.

    Args:
        sentence: what it is, and what would be readable.
    """

    def __init__(self, sentence: Text) -> None:
        super().__init__(sentence.en)
        self.sentence = sentence


@dataclass(frozen=True)
class PastedPolicy:
    """A policy document, decoded or as base64."""

    text: str


@dataclass(frozen=True)
class PastedForm:
    """
    A signed form.

    Args:
        fields: what is posted to OSS, under OSS's names.

        folder: set when the page chooses the name under it (the shape of the sample servers).
    """

    url: str
    fields: Mapping[str, str] = field(repr=False)
    folder: str | None = None


@dataclass(frozen=True)
class PastedError:
    """
    An error of OSS, STS or the function.

    Args:
        status: only where the paste had headers.

        endpoint: where OSS says that the bucket is.

        host: that OSS answered at, which tells the bucket.
    """

    code: str
    message: str = field(repr=False)
    ec: str = ""
    request_id: str = ""
    status: int | None = None
    argument: tuple[str, str] | None = None
    endpoint: str = ""
    host: str = ""


@dataclass(frozen=True)
class PastedSuccess:
    """An upload that worked, or where one stands; ``answer`` is what the function returned."""

    status: int | None
    answer: Mapping[str, Any] = field(repr=False)


Pasted = PastedPolicy | PastedForm | PastedError | PastedSuccess
