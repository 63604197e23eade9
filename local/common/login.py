"""
A platform whose mini-programs log in with codes, and the switchboard of one: what each emulator of them has.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.common.clock import Clock
from local.common.codes import Codes
from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, Faults
from local.common.http_server import Handler

CALLS_KEPT = 10_000
CODES = "/-/codes"
BODY_BYTES = 4096


@dataclass(frozen=True)
class Call:
    """
    One request that arrived; neither its secret nor its code nor its token is kept.

    Args:
        errcode: 0 for a success, ``None`` when a fault or an unknown path was the answer.
    """

    path: str
    app_id: str
    errcode: int | str | None
    time: datetime


class LoginPlatform:
    """
    Attributes:
        faults: what goes wrong with the next calls.

        apps: mini-programs by their id; codes are the first one's where nothing else is said.
    """

    apps: Mapping[str, Any]

    def __init__(self, now: Clock, faults: Faults, codes: Codes) -> None:
        self.now, self.faults, self.codes = now, faults, codes
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)

    @property
    def calls(self) -> list[Call]:
        """The last 10,000 requests, oldest first; those to ``/-/`` are not among them."""
        return list(self._calls)

    def reset(self) -> None:
        """Forget what was asked; who logged in is still known."""
        self._calls.clear()

    def record(self, path: str, app_id: str, errcode: int | str | None) -> None:
        self._calls.append(Call(path, app_id[:64], errcode, self.now()))

    def issue_code(self, openid: str | None = None, app_id: str = "") -> str:
        """Issue a login code, as the platform does on a phone, for this user or a new one."""
        app_id = app_id or next(iter(self.apps), "")
        if app_id not in self.apps:
            raise ValueError(f"app is one of {', '.join(self.apps)}")
        return self.codes.issue(app_id, openid)


class LoginHandler(Handler):
    """One connection to such a platform."""

    def __init__(self, platform: LoginPlatform, *connection: Any) -> None:
        self.platform = platform
        super().__init__(*connection)

    def issue(self, body: bytes) -> None:
        """Serve ``POST /-/codes``: a login code for a user, or for a new one, of an app."""
        if self.command != "POST":
            self.answer_json(405, {"error": f"issue a code with POST {CODES}"}, Allow="POST")
            return
        try:
            wanted = json.loads(body or b"{}")
            if not isinstance(wanted, dict) or set(wanted) - {"openid", "app"}:
                raise ValueError('the body is {}, {"openid": "..."} or {"openid": "...", "app": "..."}')
            openid, app_id = wanted.get("openid"), wanted.get("app", "")
            if not (openid is None or isinstance(openid, str)) or not isinstance(app_id, str):
                raise ValueError("openid and app are texts")
            code = self.platform.issue_code(openid, app_id)
        except (ValueError, RecursionError) as error:
            self.answer_json(400, {"error": str(error)})
            return
        self.answer_json(200, {"code": code})


class OneCallHandler(LoginHandler):
    """
    One connection to a platform that is asked for a login and nothing else.

    Attributes:
        platform: its ``take`` returns the fields of a login, or an error, whose first field names it.

        path_of_login: of a POST.

        errors: of faults, by kind.

        fields: returns the fields of a query and a body.

        tell: sends what ``take`` returned, with the fault of this kind.
    """

    platform: Any
    path_of_login: str
    errors: Mapping[str, Any]
    fields: Callable[..., Mapping[str, Any]]
    tell: Callable[..., None]

    def _serve(self) -> None:
        if self.serve_faults(self.platform.faults):
            return
        asked, _, query = self.path.partition("?")
        body = self.read_body(BODY_BYTES)
        if body is None:
            return
        if asked == CODES:
            self.issue(body)
            return
        if (self.command, asked) != ("POST", self.path_of_login):
            self.platform.record(asked, "", None)
            self.answer_json(404, {"error": f"only POST {self.path_of_login} and POST {CODES} exist here"})
            return
        given, fault = self.fields(query, body), self.platform.faults.take()
        app_id = str(given.get("app_id", given.get("appid", "")))
        if fault is not None:
            if fault.kind in (DROP, REDIRECT, *RAW):
                self.platform.record(asked, app_id, None)
            if self.play(fault, RAW):
                return
        kind, taken = fault.kind if fault else "", self.platform.take(given)
        said = self.errors.get(kind, taken)
        self.platform.record(asked, app_id, 0 if isinstance(said, dict) else said[0])
        if kind == ANSWER_LOST:
            self.drop_connection()
        else:
            self.tell(said, kind)

    do_GET = do_POST = do_PUT = do_DELETE = _serve


def json_object(body: bytes) -> dict[str, Any] | None:
    """The object that a body is; ``None`` for any other text."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
