"""Recorded exchanges: requests with responses, log lines and outgoing calls, one file a scenario."""

import hashlib
import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlencode, urlsplit

from function.app import Function
from function.context import Dependencies
from function.http.client import ExchangeFailed, HttpResponse
from handler import serve

RECORDINGS = Path(__file__).parents[1] / "vectors" / "exchanges"
START = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SDK_ADAPTER = "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"
# Made by the SDK from the clock and the randomness of the machine.
OF_THE_MACHINE = {"Signature", "SignatureNonce", "Timestamp"}
# What an outgoing call may come to beside a response: no response, or an unforeseen error.
UNHEARD, UNFORESEEN = "unheard", "unforeseen"

Json = dict[str, Any]
Answer = Callable[[Json], Any]


class Player:
    """
    One scenario's function.

    Args:
        answer: gives the response to an outgoing call: ``[status, headers, body]``, ``UNHEARD`` or
            ``UNFORESEEN``.
    """

    def __init__(self, scenario: Json, folder: Path, answer: Answer) -> None:
        self.now = START
        self.calls: list[Json] = []
        self._answer = answer
        self._environ = dict(scenario["environ"])
        self._played = 0
        self._random = itertools.count()
        (folder / "profiles.toml").write_text(scenario["profiles"], "utf-8")
        # No call is late by chance: with 0 each of them is late.
        self._hooks_seconds = scenario.get("hooks_seconds", 20.0)
        self._hooks_file = folder / "hooks.py"
        if scenario["hooks"]:
            self._hooks_file.write_text(scenario["hooks"], "utf-8")
        self._environ["PROFILES_FILE"] = str(folder / "profiles.toml")
        self.start()

    def start(self) -> None:
        """Begin anew, as another instance."""
        self._function = Function(
            Dependencies(
                self._environ,
                lambda: self.now,
                self._random_bytes,
                lambda _seconds: None,
                self._send,
                self._hooks_file,
                hooks_seconds=self._hooks_seconds,
                # A budget is for waiting, of which there is none here, however busy the machine is.
                monotonic=lambda: 0.0,
            )
        )

    def play(self, step: Json) -> Json:
        """Return the outgoing calls, the response and the log line of one step."""
        self.now = START + timedelta(seconds=step["at"])
        self.calls = []
        # Each step has random bytes of its own: how many a step uses up is no part of the contract.
        self._played += 1
        self._random = itertools.count()
        if step.get("restart"):
            self.start()
        with _log_lines() as lines, mock.patch(SDK_ADAPTER, self._send_to_sts):
            response = self._respond(step)
        (line,) = lines
        line.pop("ms")
        return {"calls": self.calls, "response": response, "log": line}

    def _respond(self, step: Json) -> Json:
        context = SimpleNamespace(request_id=step["context"]) if step.get("context") else None
        if "event" in step:
            answer = serve(self._function, step["event"].encode("latin-1"), context)
            assert set(answer) == {"statusCode", "headers", "isBase64Encoded", "body"}
            assert answer["isBase64Encoded"] is False
            return {"status": answer["statusCode"], "headers": answer["headers"], "body": answer["body"]}
        environ = {**step["wsgi"], "wsgi.input": io.BytesIO(step["wsgi"]["wsgi.input"].encode("latin-1"))}
        if context:
            environ["fc.context"] = context
        started: list[Any] = []
        body = b"".join(serve(self._function, environ, lambda *arguments: started.append(arguments)))
        ((status, headers),) = started
        # The bytes of a picture are no text.
        text = body.decode(errors="backslashreplace")
        return {"status": status, "headers": [list(pair) for pair in headers], "body": text}

    def _random_bytes(self, count: int) -> bytes:
        return hashlib.shake_128(f"{self._played} {next(self._random)}".encode()).digest(count)

    def _send(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **_bounds: Any,
    ) -> HttpResponse:
        status, got, content = self._call(method, url, query, dict(headers or {}), body or b"")
        return HttpResponse(status, content, got)

    def _send_to_sts(self, request: Any, **_options: Any) -> Any:
        from aliyunsdkcore.vendored.requests import ConnectionError, Response

        where = urlsplit(request.url)
        query = {name: value for name, value in parse_qsl(where.query) if name not in OF_THE_MACHINE}
        origin = where._replace(query="").geturl()
        try:
            status, _, body = self._call(request.method, origin, dict(sorted(query.items())), {}, b"")
        except ExchangeFailed:
            raise ConnectionError() from None
        response = Response()
        response.status_code, response.raw = status, io.BytesIO(body)
        return response

    def _call(
        self, method: str, url: str, query: Mapping[str, str] | None, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        url = f"{url}?{urlencode(query)}" if query else url
        sent = {"method": method, "url": url, "headers": headers, "body": body.decode("latin-1")}
        got = self._answer(sent)
        self.calls.append({**sent, "got": got})
        if got == UNHEARD:
            raise ExchangeFailed("ConnectionResetError")
        if got == UNFORESEEN:
            raise RuntimeError("unforeseen")
        status, received, content = got
        return status, received, content.encode("latin-1")


@contextmanager
def _log_lines() -> Iterator[list[Json]]:
    lines: list[Json] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("{"):
                lines.append({"level": record.levelname, **json.loads(record.getMessage())})

    log, handler = logging.getLogger("oss_direct_upload"), Handler()
    level = log.level
    log.addHandler(handler)
    try:
        log.setLevel(logging.INFO)
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def without_sentences(played: Json) -> Json:
    """Drop what is written for people: error messages, reason phrases, and why a quota was not counted."""
    response, log = dict(played["response"]), dict(played["log"])
    # Python 3.13 has newer phrases, such as "Content Too Large" for 413.
    response["status"] = str(response["status"]).partition(" ")[0]
    for message in _messages(response["body"]):
        for text in (json.dumps(message), json.dumps(message, ensure_ascii=False)):
            response["body"] = response["body"].replace(f'"message":{text}', '"message":…')
    if "…" in response["body"]:
        headers = dict(response["headers"])
        headers.pop("Content-Length", None)
        response["headers"] = headers
    log["reason"] = "reason" in log
    if "quota" in log:
        log["quota"] = log["quota"].partition(":")[0]
    return {**played, "response": response, "log": log}


def _messages(body: str) -> list[str]:
    try:
        value = json.loads(body)
    except ValueError:
        return []
    entries = [value, *value.get("results", [])] if isinstance(value, dict) else []
    return [entry["error"]["message"] for entry in entries if isinstance(entry.get("error"), dict)]


def replay(scenario: Json, folder: Path) -> Iterator[tuple[Json, Json, Json]]:
    """Each step of a recorded scenario, what was recorded of it, and what this function does."""
    calls: Iterator[Json] = iter(())

    def answer(sent: Json) -> Any:
        recorded = next(calls, {})
        # A call that was not recorded shows in the comparison: an assertion would be answered with a 500.
        return recorded["got"] if recorded == {**sent, "got": recorded.get("got")} else UNHEARD

    player = Player(scenario, folder, answer)
    for step in scenario["steps"]:
        calls = iter(step["played"]["calls"])
        yield step, step["played"], player.play(step)
