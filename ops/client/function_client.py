"""Client of a deployed function."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from ops.client.form_upload import no_answer, open_session
from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import Failure, Text

TIMEOUT_SECONDS = 30
REFUSED = Text("The function answered {status}.", "函数返回 {status}。")
NOT_OURS = Text(
    "That answer does not come from this function: check the address and its path.",
    "这不是本函数的响应：请检查地址与路径。",
)
BAD_URL = Text(
    "--url must be the http(s) address of the function, without a query.",
    "--url 必须是函数的 http(s) 地址，不带查询串。",
)


class FunctionSilent(Failure):
    """Raised when the function gave no answer."""


class InvokeFailed(Exception):
    """Raised when the function refuses; the message is ready to print."""


@dataclass(frozen=True)
class FunctionAnswer:
    """An answer; ``text`` is the body, JSON when it comes from our function."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object of the body; empty when it is none."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class FunctionAtUrl:
    """The function behind an address of FC 3.0, with any prefix of a custom domain in front of its routes."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise Failure(BAD_URL)
        self._url = url.rstrip("/")

    def ask(self, route: str, body: Mapping[str, Any] | str | None, token: str) -> FunctionAnswer:
        """``POST`` JSON or a text, ``GET`` without a body; raise ``FunctionSilent`` if unanswered."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {sendable(token)}"
        url = f"{self._url}/{route}"
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        try:
            with open_session(url) as session:
                answer = session.request(
                    "GET" if body is None else "POST",
                    url,
                    data=text.encode() if text is not None else None,
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise FunctionSilent(no_answer(url, error)) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return FunctionAnswer(answer.status_code, answer.text, headers)


def checked(answer: FunctionAnswer, language: str) -> dict[str, Any]:
    """Return the JSON object of a success; raise ``InvokeFailed``, with its explanation, for an error."""
    if answer.status == 200 and answer.json:
        return answer.json
    refused = REFUSED.say(language, status=answer.status)
    try:
        said = explain(answer.text, datetime.now(UTC), language)
    except Unreadable:
        said = NOT_OURS.say(language)
    raise InvokeFailed(f"{refused}\n{said}")


def is_default_domain(url: str) -> bool:
    """Return whether this is an address that Function Compute gives out for testing only."""
    return (urlsplit(url).hostname or "").endswith(".fcapp.run")


def sendable(token: str) -> str:
    """Return the token; raise ``FunctionSilent`` if no header can carry it."""
    if not re.fullmatch(r"[!-~]+", token):
        raise FunctionSilent(
            Text(
                "The token holds characters that no token has; nothing was sent.",
                "令牌里有不该有的字符，什么都没有发出。",
            )
        )
    return token
