"""Faults: one vocabulary for all emulators, and the plan of one of them."""

import json
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

LONGEST_SECONDS = 600
SLOW, DROP, REDIRECT, ANSWER_LOST = "slow", "drop", "redirect", "answer_lost"

# Each name means the same wherever it is played; nobody plays all of them.
VOCABULARY = {
    # On the wire
    "refused": "nobody listens",
    "reset": "the connection is reset instead of an answer",
    DROP: "the connection ends instead of an answer, and nothing was done",
    ANSWER_LOST: "the connection ends instead of an answer, but all was done",
    SLOW: "a good answer comes late",
    "slow_headers": "the headers of the answer trickle",
    "slow_body": "the body of the answer trickles",
    "hang": "no answer comes, and the connection stays",
    "truncated": "the connection ends in the middle of the answer",
    "huge": "the answer is far longer than any good one",
    "no_tls": "TLS is expected and not spoken",
    "wrong_certificate": "the certificate is of an unknown issuer",
    "expired_certificate": "the certificate is over",
    "future_certificate": "the certificate has not begun",
    REDIRECT: "the answer points elsewhere",
    # What is answered, whatever was asked
    "rejected": "the service says no, with a 4xx of its own",
    "status_500": "something in front of the service failed: a page of HTML",
    "status_503": "the service says that it cannot now",
    "throttled": "the service says that it was asked too often",
    "status_429": "the same, with HTTP 429",
    "malformed": "the answer is not of its format",
    "html": "the answer is a page of HTML, with HTTP 200",
    "empty": "the answer has no body",
    "null": "the answer is the JSON null",
    "null_error": "a failure whose body is the JSON null",
    "not_utf8": "a failure whose body is no UTF-8",
    "wrong_type": "the answer's fields are of other types",
    "wrong_error_type": "the answer's error code is of another type",
    "missing_field": "the answer lacks a field",
    "no_permission_with_200": "a missing right is told with HTTP 200",
    "forged": "a value of the signed answer is another one",
    "unsigned": "the answer is not signed",
    "doubled_node": "behind its signature the answer has a second, unsigned node of the same name",
    "error_with_openid": "an error comes with the fields of a success",
    "no_colon": "a wrong signature is told without what the SDK looks for in the message",
    # What is handed out, or was handed in
    "short_life": "the credentials end within seconds",
    "expired": "the credentials are over already",
    "far_future": "the credentials end centuries from now",
    "expired_form": "the form is said to be over",
    "expired_url": "the signed URL is said to be over",
    "callback_fails": "the callback is said to have failed",
    "busy": "the platform says that its system is busy",
    "blocked": "WeChat says that the user is blocked",
    "invalid_code": "the platform says that it does not know the code",
    "used_code": "WeChat says that the code was used",
    "bad_appid": "the platform says that it does not know the app",
    "bad_secret": "the platform says that the app's secret is wrong",
    "bad_token": "WeChat says that the access token is none, or not the newest",
    "address_refused": "WeChat says that this address is not in the app's list",
    "daily_quota": "WeChat says that the calls of this day are used up",
    "not_seen_lately": "WeChat says that the user was not there within two hours",
    "bad_openid": "WeChat says that the openid is none",
    "foreign_openid": "WeChat says that the openid is of another app",
    "bad_media_type": "WeChat says that the media type is none",
    "repeated_too_often": "WeChat says that the same was asked too often",
    "unreadable": "WeChat says that it cannot open the file (-1008)",
    "not_signed": "WeChat says that the request is not signed: API security is on",
    "no_permission": "Alipay says that the app may not use this interface",
    "not_encrypted": "WeChat says that the request cannot be decrypted",
}


class Raw(NamedTuple):
    """An answer sent as it is."""

    status: int
    body: bytes
    content_type: str = "application/json"


# The same from whichever service.
RAW = {
    "status_500": Raw(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html"),
    "malformed": Raw(200, b'{"RequestId": "7C1C0FF4", "openid": "o3feOgc'),
    "empty": Raw(200, b""),
    "null": Raw(200, b"null"),
    "null_error": Raw(502, b"null"),
    "not_utf8": Raw(502, b"\xff\xfe\xc3\x28 bad gateway", "text/html"),
    "huge": Raw(200, json.dumps({"RequestId": "A" * 2**20}).encode()),
}


@dataclass(frozen=True)
class Fault:
    """
    One planned fault.

    Args:
        kind: one of the names the emulator knows.

        times: how many requests it strikes, then it is gone; ``None`` means until cleared.

        rate: probability from 0 to 1 that it strikes a request it could strike.

        seconds: how long a slow kind waits.

        on: the calls that it can strike, by name; empty for every one.
    """

    kind: str
    times: int | None = None
    rate: float = 1.0
    seconds: float = 0.0
    on: tuple[str, ...] = ()


class Faults:
    """
    The faults planned for one emulator, taken one a request.

    Args:
        known: the kinds this emulator can play, of the vocabulary; planning another one is a ``ValueError``.

        seed: makes rates repeatable.

        calls: by name, what this emulator tells apart; a fault can be planned on some of them.

        bound: kinds that strike certain calls and no other.
    """

    def __init__(
        self,
        known: Iterable[str],
        seed: int = 0,
        calls: Iterable[str] = (),
        bound: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.known = frozenset(known)
        if unheard_of := self.known - set(VOCABULARY):
            raise ValueError(f"not in the vocabulary of faults: {', '.join(sorted(unheard_of))}")
        self.calls = frozenset(calls)
        self._bound = bound or {}
        self._planned: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def plan(
        self,
        kind: str,
        times: int | None = None,
        rate: float = 1.0,
        seconds: float = 0.0,
        on: Iterable[str] = (),
    ) -> None:
        if kind not in self.known:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(self.known))}")
        if times is not None and times < 1:
            raise ValueError("times is a whole number from 1, or null for until cleared")
        if not 0 <= rate <= 1:
            raise ValueError("rate is a probability from 0 to 1")
        if not 0 <= seconds <= LONGEST_SECONDS:
            raise ValueError(f"seconds is a number from 0 to {LONGEST_SECONDS}")
        possible = self._bound.get(kind, tuple(self.calls))
        wanted = tuple(on)
        if not set(wanted) <= set(possible):
            raise ValueError(f"{kind} strikes {', '.join(sorted(possible)) or 'every call alike'}")
        with self._lock:
            self._planned.append(Fault(kind, times, rate, seconds, wanted or self._bound.get(kind, ())))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, call: str = "") -> Fault | None:
        """
        The fault that strikes this request, or ``None``.

        Args:
            call: the name of what is asked, where this emulator tells calls apart.
        """
        with self._lock:
            for index, fault in enumerate(self._planned):
                if fault.on and call not in fault.on:
                    continue
                if self._random.random() >= fault.rate:
                    continue
                if fault.times is not None:
                    left = fault.times - 1
                    if left:
                        self._planned[index] = replace(fault, times=left)
                    else:
                        del self._planned[index]
                return fault
            return None

    def plan_from(self, wanted: Mapping[str, Any]) -> None:
        """Plan what a JSON object says: ``kind`` and any of ``times``, ``rate``, ``seconds``, ``on``."""
        unknown = set(wanted) - {"kind", "times", "rate", "seconds", "on"}
        on = wanted.get("on", [])
        if unknown or not isinstance(wanted.get("kind"), str) or not isinstance(on, list):
            raise ValueError("a fault is {kind, times?, rate?, seconds?, on?}, on a list of calls")
        times = wanted.get("times")
        self.plan(
            wanted["kind"],
            times=None if times is None else int(times),
            rate=float(wanted.get("rate", 1.0)),
            seconds=float(wanted.get("seconds", 0.0)),
            on=on,
        )
