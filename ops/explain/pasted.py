"""Types of pastes that ``explain`` understands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ops.terminal.language import Failure, Text

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


CANNOT = Text(
    "Cannot explain this. {what} Paste a policy (JSON or base64), a form or response of the function (JSON),"
    " an error of OSS, STS or the function, an error code, an errcode of WeChat, the mini-program's message"
    " (errMsg), a line of the function's log, a ticket, a receipt or an openid.",
    "无法解释。{what}请粘贴 policy（JSON 或 base64）、表单或函数的响应（JSON）、OSS、STS、函数返回的错误、"
    "错误码、微信的 errcode、小程序里的报错（errMsg）、函数日志的一行、票据、回执或 openid。",
)


class Unreadable(Failure):
    """Raised for what is none of the things ``explain`` knows; its text says what it is."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(Text(CANNOT.en.format(what=en), CANNOT.zh.format(what=zh)))


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


class Kind(Enum):
    """Other pastes, each with its content."""

    POLICY = "a document, decoded"
    ANSWER = "nothing: of OSS or the function, without an error"
    LOG_LINE = "fields of the function's log, without what Function Compute writes before it"
    TOKEN = "a JWT of the function or a backend, unverified, and its claims"
    OPENID = "an openid of WeChat"


@dataclass(frozen=True)
class PastedOther:
    kind: Kind
    content: Any = field(default=None, repr=False)


Pasted = PastedForm | PastedError | PastedOther


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
