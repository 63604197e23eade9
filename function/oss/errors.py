"""What OSS answers: XML with or without a namespace, refusals with their code, entity tags."""

import re
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple

from function.http.client import HttpResponse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Of what OSS is asked for by name, these refusals are told by their EC where nothing else came.
CODE_OF_EC = {"0026-00000001": "NoSuchKey"}
ETAG = r"[0-9A-Za-z-]{1,64}"
MAX_ERROR_CHARACTERS = 16 * 1024


class Refusal(NamedTuple):
    """
    OSS says no.

    Args:
        code: such as ``NoSuchKey``; empty where none can be read.

        ec: the number of the rule; its values are not promised.
    """

    status: int
    code: str
    ec: str
    request_id: str

    def __str__(self) -> str:
        """For the log: OSS's text is never in it."""
        known = {"EC": self.ec, "request": self.request_id}
        told = [
            f"HTTP {self.status}",
            self.code,
            *[f"{name} {value}" for name, value in known.items() if value],
        ]
        return " ".join(filter(None, told))


def refusal_of(answer: HttpResponse) -> Refusal:
    """
    What an answer that is no success says.

    Source: https://help.aliyun.com/zh/oss/developer-reference/error-handling
    """
    headers = answer.headers
    root = _error_in(answer)
    code = "" if root is None else word(text_in(root, "Code"))
    ec = word(headers.get("x-oss-ec"))
    return Refusal(answer.status, code or CODE_OF_EC.get(ec, ""), ec, word(headers.get("x-oss-request-id")))


def _error_in(answer: HttpResponse) -> "Element | None":
    """The XML of the body; of an answer to HEAD, which has none, that of a header."""
    if answer.body or "x-oss-err" not in answer.headers:
        return xml_of(answer.body)
    try:
        return xml_of(b64decode(answer.headers["x-oss-err"][:MAX_ERROR_CHARACTERS]))
    except ValueError:
        return None


def word(text: str | None) -> str:
    """A code or number that may stand in a log line; empty for anything else."""
    return text if text and re.fullmatch(r"[0-9A-Za-z._-]{1,64}", text) else ""


def xml_of(body: bytes) -> "Element | None":
    """
    The root of an XML document in UTF-8, without a document type, entities or comments; ``None`` for others.

    OSS never sends these, and they are how a small document becomes a large one.
    """
    from xml.etree.ElementTree import ParseError, XMLParser, fromstring

    # In another encoding the two bytes would not show: UTF-16, which the parser takes for itself, has zeros.
    if b"<!" in body or b"\0" in body:
        return None
    try:
        return fromstring(body, XMLParser(encoding="utf-8"))
    except ParseError:
        return None


def name_of(element: "Element") -> str:
    """Its name without the namespace, which OSS writes in some answers and not in others."""
    return element.tag.rpartition("}")[2]


def text_in(element: "Element", name: str) -> str:
    """The text of the first child of this name; empty where there is none."""
    return next((child.text or "" for child in element if name_of(child) == name), "")


def etag_in(text: str | None) -> str:
    """An entity tag without its quotes; empty for what can be none."""
    bare = (text or "").strip('"')
    return bare if re.fullmatch(ETAG, bare) else ""
