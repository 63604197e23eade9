"""Client of a deployed function."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from ops.client.form_upload import no_answer, open_session
from ops.terminal.language import Failure, Text

TIMEOUT_SECONDS = 30


class FunctionSilent(Failure):
    """Raised when the function gave no answer."""


@dataclass(frozen=True)
class FunctionAnswer:
    """
    Args:
        text: the body; JSON when it comes from our function.
    """

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
    """
    The function behind a trigger or a custom domain of FC 3.0.

    Args:
        url: with any prefix of a custom domain; routes are put behind it.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ask(self, route: str, body: Mapping[str, Any] | str | None, token: str) -> FunctionAnswer:
        """
        ``POST`` JSON (or a text as it is) to a route; ``GET`` it when there is no body.

        Raises:
            FunctionSilent: no response.
        """
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {sendable(token)}"
        url = f"{self._url}/{route}"
        try:
            with open_session(url) as session:
                answer = session.request(
                    "GET" if body is None else "POST",
                    url,
                    data=_json_bytes(body),
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise FunctionSilent(no_answer(url, error)) from None
        return FunctionAnswer(answer.status_code, answer.text, _lowered(answer.headers))


def is_default_domain(url: str) -> bool:
    """Return whether this is an address that Function Compute gives out for testing only."""
    return (urlsplit(url).hostname or "").endswith(".fcapp.run")


def sendable(token: str) -> str:
    """
    Raises:
        FunctionSilent: no header can carry it.
    """
    if not re.fullmatch(r"[!-~]+", token):
        raise FunctionSilent(
            Text(
                "The token holds characters that no token has; nothing was sent.",
                "令牌里有不该有的字符，什么都没有发出。",
            )
        )
    return token


def _json_bytes(body: Mapping[str, Any] | str | None) -> bytes | None:
    if body is None or isinstance(body, str):
        return body.encode() if body is not None else None
    return json.dumps(body).encode()


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
