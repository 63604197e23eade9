"""
Types of pastes that ``explain`` understands.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.terminal.language import Text

# Alibaba's sample servers answer these names; the page posts the fields on the right.
SAMPLE_FIELDS = {
    "accessid": "OSSAccessKeyId",
    "security_token": "x-oss-security-token",
    "x_oss_signature_version": "x-oss-signature-version",
    "version": "x-oss-signature-version",
    "x_oss_credential": "x-oss-credential",
    "x_oss_date": "x-oss-date",
    "policy": "policy",
    "callback": "callback",
}


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
class PastedAnswer:
    """An answer of OSS or the function without an error."""


@dataclass(frozen=True)
class PastedLogLine:
    """A line of the function's log, without what Function Compute writes before it."""

    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class PastedToken:
    """A JWT of the function or a backend: ticket, receipt, session; unverified."""

    text: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class PastedOpenId:
    """An openid of WeChat."""

    text: str


@dataclass(frozen=True)
class PastedLabel:
    """A label of AI-made content; ``None`` where the function found nothing."""

    label: Mapping[str, Any] | None = field(repr=False)


Pasted = (
    PastedPolicy
    | PastedForm
    | PastedError
    | PastedAnswer
    | PastedLogLine
    | PastedToken
    | PastedOpenId
    | PastedLabel
)


def form_of(value: Mapping[str, Any]) -> PastedForm:
    """Return a form in one object, of this function or in the shape of the sample servers."""
    if not ({"accessid", "host", "dir", "x_oss_date"} & set(value)):
        return PastedForm(str(value.get("url", "")), texts(value))
    fields = {to: str(value[name]) for name, to in SAMPLE_FIELDS.items() if name in value}
    is_v4 = "x-oss-credential" in fields
    fields["x-oss-signature" if is_v4 else "signature"] = str(value.get("signature", ""))
    return PastedForm(str(value.get("host", "")), fields, folder=str(value.get("dir", "")))


def texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
