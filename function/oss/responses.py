"""Errors and XML in responses of OSS: refusals with their code, elements, entity tags."""

import re
from base64 import b64decode

from function.annotations import TYPE_CHECKING, NamedTuple
from function.http.client import HttpResponse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Codes for refusals that arrive with nothing but an EC.
CODE_OF_EC = {"0026-00000001": "NoSuchKey"}
ETAG = r"[0-9A-Za-z-]{1,64}"
MAX_ERROR_CHARACTERS = 16 * 1024


class Refusal(NamedTuple):
    """
    A refusal of OSS.

    Args:
        code: such as ``NoSuchKey``; empty if unreadable.
        ec: the number of the rule; OSS does not guarantee its values.
    """

    status: int
    code: str
    ec: str
    request_id: str

    def __str__(self) -> str:
        """Text for the log, without any message of OSS."""
        known = {"EC": self.ec, "request": self.request_id}
        words = [
            f"HTTP {self.status}",
            self.code,
            *[f"{name} {value}" for name, value in known.items() if value],
        ]
        return " ".join(filter(None, words))


def refusal_of(response: HttpResponse) -> Refusal:
    """
    Return the refusal in a response that is no success.

    Source: https://help.aliyun.com/zh/oss/developer-reference/error-handling
    """
    headers = response.headers
    root = _error_in(response)
    code = "" if root is None else word(text_in(root, "Code"))
    ec = word(headers.get("x-oss-ec"))
    return Refusal(response.status, code or CODE_OF_EC.get(ec, ""), ec, word(headers.get("x-oss-request-id")))


def _error_in(response: HttpResponse) -> "Element | None":
    """Return the XML of the body; of a HEAD response, which has none, that of a header."""
    if response.body or "x-oss-err" not in response.headers:
        return xml_of(response.body)
    try:
        return xml_of(b64decode(response.headers["x-oss-err"][:MAX_ERROR_CHARACTERS]))
    except ValueError:
        return None


def word(text: str | None) -> str:
    """Return a code or number that is safe to log; empty for anything else."""
    return text if text and re.fullmatch(r"[0-9A-Za-z._-]{1,64}", text) else ""


def xml_of(body: bytes) -> "Element | None":
    """
    Return the root of an XML document in UTF-8; ``None`` if invalid, or with a document type or comments.

    OSS sends no document types, and entities make a large document of a small one.
    """
    from xml.etree.ElementTree import ParseError, XMLParser, fromstring

    # In UTF-16, which the parser detects by itself, the two bytes would not be found; but it has zeros.
    if b"<!" in body or b"\0" in body:
        return None
    try:
        return fromstring(body, XMLParser(encoding="utf-8"))
    except ParseError:
        return None


def name_of(element: "Element") -> str:
    """Return the name without its namespace, which only some responses of OSS have."""
    return element.tag.rpartition("}")[2]


def text_in(element: "Element", name: str) -> str:
    """Return the text of the first child of this name; empty if there is none."""
    return next((child.text or "" for child in element if name_of(child) == name), "")


def etag_in(text: str | None) -> str:
    """Return an entity tag without quotes; empty if invalid."""
    bare = (text or "").strip('"')
    return bare if re.fullmatch(ETAG, bare) else ""
