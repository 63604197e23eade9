"""
The ``callback`` field of a form: checked before the upload, filled in after it.

Source: https://help.aliyun.com/zh/oss/developer-reference/callback
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from local.oss.crc64 import crc64_of
from local.oss.errors import NO_PUBLIC_EC, OssError, invalid_argument
from local.oss.image_info import read_image_info
from local.oss.rules import OssRules
from local.oss.versions import StoredObject

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
MAX_URLS = 5
VARIABLE = re.compile(r"\$\{([^{}]*)\}")
NUMBERS = {"size", "imageInfo.height", "imageInfo.width"}
URL_CHARACTERS = re.compile(r"[!-~]+")
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")

Variable = Callable[[str], str]


@dataclass(frozen=True)
class Callback:
    """
    A well-formed callback.

    Args:
        urls: tried in order, each with its scheme.

        body: template with ``${variables}``.

        host: replaces the Host header; ``None`` for the URL's own.

        server_name: whether https is spoken with the server's name (SNI), which shared gateways need.
    """

    urls: tuple[str, ...]
    body: str
    body_type: str = FORM_TYPE
    host: str | None = None
    server_name: bool = False


def parse_callback(field: str | None, rules: OssRules) -> Callback | None:
    """
    Read a ``callback`` field; without one there is no callback.

    Raises:
        OssError: ``InvalidArgument`` with OSS's text. A private or loopback address is allowed here,
            although OSS refuses it: on the local cloud the function has no other.
    """
    if field is None:
        return None
    if len(field) > rules.max_callback_bytes:
        raise _invalid("The callback configuration is larger than 5 KB.", "01", field)  # text ours
    try:
        text = base64.b64decode(field, validate=True).decode()
    except ValueError:
        raise _invalid("The callback configuration is not base64 encoded.", "02", field) from None
    try:
        wanted = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_json(field) from None
    if not isinstance(wanted, dict):
        raise _not_json(field)
    body_type = wanted.get("callbackBodyType", FORM_TYPE)
    if not isinstance(body_type, str):
        raise _invalid("The callback body type configuration is invalid.", None, field)
    if body_type not in (FORM_TYPE, JSON_TYPE):
        raise _invalid("The body type of callback is not supported.", None, field)
    return Callback(
        urls=_urls(wanted.get("callbackUrl"), field),
        body=_body(wanted.get("callbackBody"), body_type, field),
        body_type=body_type,
        host=_host(wanted.get("callbackHost"), field),
        server_name=wanted.get("callbackSNI") is True,
    )


def fill_body(callback: Callback, variable: Variable) -> bytes:
    """
    The request body: every ``${name}`` replaced, UTF-8.

    Form values are URL-encoded. JSON values are inserted as JSON values, so the template writes them
    without quotes; an empty number becomes ``""``, which is not documented but keeps the body JSON.
    """

    def filled(match: re.Match[str]) -> str:
        value = variable(match[1])
        if callback.body_type == FORM_TYPE:
            return quote(value, safe="")
        return value if value and match[1] in NUMBERS else json.dumps(value, ensure_ascii=False)

    return VARIABLE.sub(filled, callback.body).encode()


def variables_of(
    stored: StoredObject, bucket: str, fields: Mapping[str, str], request_id: str, client_ip: str
) -> Variable:
    """
    Return the values of a template's names; unknown names and unset ``x:`` fields are empty.

    Costly ones (checksums, the picture's size) are worked out only when a template asks for them.
    """
    known: dict[str, Callable[[], str]] = {
        "bucket": lambda: bucket,
        "object": lambda: stored.key,
        "etag": lambda: stored.etag,
        "size": lambda: str(stored.size),
        "mimeType": lambda: stored.content_type,
        "imageInfo.height": lambda: _image_info(stored.path, "height"),
        "imageInfo.width": lambda: _image_info(stored.path, "width"),
        "imageInfo.format": lambda: _image_info(stored.path, "format"),
        "crc64": lambda: str(crc64_of(stored.path)),
        "contentMd5": lambda: _content_md5(stored.path),
        "vpcId": lambda: "",
        "clientIp": lambda: client_ip,
        "reqId": lambda: request_id,
        "operation": lambda: "PostObject",
    }

    def value(name: str) -> str:
        if name.startswith("x:"):
            return fields.get(name, "")
        return known[name]() if name in known else ""

    return value


def _urls(wanted: Any, field: str) -> tuple[str, ...]:
    invalid = _invalid("The callback url configuration is invalid.", "04", field)
    if not isinstance(wanted, str) or not wanted:
        raise invalid
    urls = wanted.split(";")
    if len(urls) > MAX_URLS:
        raise _invalid("The number of callback url exceed max value.", None, field)
    with_scheme = tuple(url if "://" in url else f"http://{url}" for url in urls)
    for url in with_scheme:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and parts.port != 0 and HOST.fullmatch(parts.netloc)
        except ValueError:
            valid = None
        if not (valid and URL_CHARACTERS.fullmatch(url)):
            raise invalid
    return with_scheme


def _body(wanted: Any, body_type: str, field: str) -> str:
    invalid = _invalid("The callback body configuration is invalid.", None, field)  # text ours
    if not isinstance(wanted, str) or not wanted:
        raise invalid
    try:
        wanted.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        raise invalid from None
    if body_type == JSON_TYPE:
        # A quoted "${bucket}" would become ""my-bucket"" later, so OSS refuses it beforehand.
        try:
            json.loads(VARIABLE.sub('""', wanted))
        except (ValueError, RecursionError):
            raise _not_json(field) from None
    return wanted


def _host(wanted: Any, field: str) -> str | None:
    if wanted is None or wanted == "":
        return None
    if not isinstance(wanted, str) or not HOST.fullmatch(wanted):
        raise _invalid("The callback host configuration is invalid.", None, field)
    return wanted


def _not_json(field: str) -> OssError:
    return _invalid("The callback configuration is not json format.", "03", field)


def _invalid(message: str, number: str | None, field: str) -> OssError:
    return invalid_argument(message, f"0007-000000{number}" if number else NO_PUBLIC_EC, "callback", field)


def _image_info(path: Path, what: str) -> str:
    info = read_image_info(path)
    return "" if info is None else str(getattr(info, what))


def _content_md5(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "md5").digest()).decode()
