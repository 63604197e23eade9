"""Evidence in a response of OSS, and the reason why a question was not tried."""

import re
from xml.etree import ElementTree

import requests

from function.errors import UploadError
from ops.terminal.language import Text

REQUEST_ID = r",? request [\w-]+"


class NotTried(Exception):
    """Raised where a question cannot be asked here; its sentence says what would be needed."""

    def __init__(self, why: str, remedy: Text | None = None) -> None:
        super().__init__(f"{why}. {remedy.en}" if remedy else why)
        self.why, self.remedy = why, remedy


def accepted(answer: requests.Response) -> requests.Response:
    """Raises NotTried: a step that has to go well before the question can be asked did not."""
    if answer.status_code in (200, 204):
        return answer
    raise NotTried(f"what comes before it was refused ({evidence(answer)})")


def evidence(answer: requests.Response) -> str:
    """Status, code and EC of an answer, and nothing else of it."""
    code = text_in(answer, "Code") if answer.status_code >= 300 else ""
    ec = answer.headers.get("x-oss-ec", "")
    return " ".join(part for part in (f"HTTP {answer.status_code}", code, ec) if part)


def reason_of(error: UploadError) -> str:
    """What the function found, without the id of the request."""
    return re.sub(REQUEST_ID, "", error.reason or error.message)


def text_in(answer: requests.Response, name: str) -> str:
    """Return the text of an XML element in any namespace; empty if absent."""
    try:
        # OSS names no entities; who does is not OSS.
        root = ElementTree.fromstring(b"" if b"<!" in answer.content else answer.content)
    except (ElementTree.ParseError, ValueError):
        return ""
    found = (each.text for each in root.iter() if each.tag.rpartition("}")[2] == name)
    return next(found, "") or ""
