"""Client of a deployed function."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from ops.client.form_upload import Answer, no_answer, send
from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import LANGUAGES, Failure, Text

TIMEOUT_SECONDS = 30
REFUSED = Text("The function answered {status}.\n{said}", "函数返回 {status}。\n{said}")
NOT_OURS = Text(
    "That answer does not come from this function: check the address and its path.",
    "这不是本函数的响应：请检查地址与路径。",
)
BAD_URL = Text(
    "--url must be the http(s) address of the function, without a query.",
    "--url 必须是函数的 http(s) 地址，不带查询串。",
)
BAD_TOKEN = Text(
    "The token holds characters that no token has; nothing was sent.",
    "令牌里有不该有的字符，什么都没有发出。",
)


class FunctionSilent(Failure):
    """Raised when the function gave no answer."""

    exit_code = 1


class InvokeFailed(Failure):
    """Raised when the function refuses, with the explanation of its answer."""

    exit_code = 1


class FunctionAtUrl:
    """The function behind an address of FC 3.0, with any prefix of a custom domain in front of its routes."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise Failure(BAD_URL)
        self._url = url.rstrip("/")

    def ask(self, route: str, body: Mapping[str, Any] | str | None, token: str) -> Answer:
        """``POST`` JSON or a text, ``GET`` without a body; raise ``FunctionSilent`` if unanswered."""
        headers = {"Content-Type": "application/json"}
        if token:
            # No header could carry it.
            if not re.fullmatch(r"[!-~]+", token):
                raise FunctionSilent(BAD_TOKEN)
            headers["Authorization"] = f"Bearer {token}"
        url, method = f"{self._url}/{route}", "GET" if body is None else "POST"
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        data = text.encode() if text is not None else None
        try:
            return send(method, url, data=data, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise FunctionSilent(no_answer(url, error)) from None


def checked(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of a success; raise ``InvokeFailed``, with its explanation, for an error."""
    if answer.status == 200 and answer.json:
        return answer.json
    try:
        said = Text(*(explain(answer.text, datetime.now(UTC), language) for language in LANGUAGES))
    except Unreadable:
        said = NOT_OURS
    raise InvokeFailed(REFUSED.filled(status=answer.status, said=said))


def is_default_domain(url: str) -> bool:
    """Return whether this is an address that Function Compute gives out for testing only."""
    return (urlsplit(url).hostname or "").endswith(".fcapp.run")
