"""WeChat's server API: one bounded call, its answer an object, its numbers read leniently."""

import copy
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from function.config.messages import Message
from function.config.settings import WechatApp
from function.errors import Misconfigured, Problem, UploadError, WechatRejected, WechatUnavailable
from function.http.client import ExchangeFailed, Send
from function.http.json_body import object_in

ERRCODE = "errcode"
NUMBER = r"-?[0-9]{1,10}"
# It becomes part of the name of a marker.
TRACE_ID = r"[A-Za-z0-9_-]{1,128}"


def post(
    app: WechatApp,
    path: str,
    fields: Mapping[str, Any],
    *,
    send: Send,
    budget_seconds: float,
    query: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """
    Send one JSON object, and read the one that comes back.

    Returns:
        its errcode, 0 where there is none, and the object.

    Raises:
        WechatUnavailable: nothing came that can be read; never with what was sent, which holds secrets.
    """
    from json import dumps

    try:
        answer = send(
            "POST",
            f"{app.endpoint}{path}",
            query=query,
            body=dumps(fields).encode(),
            headers={"Content-Type": "application/json"},
            budget_seconds=budget_seconds,
        )
    except ExchangeFailed as error:
        raise unavailable(path, error.kind) from None
    if answer.status >= 500:
        raise unavailable(path, f"HTTP {answer.status}")
    told = object_in(answer.body)
    if told is None:
        raise unavailable(path, f"HTTP {answer.status}, but no JSON")
    errcode = 0 if told.get(ERRCODE) is None else whole_number(told[ERRCODE])
    if errcode is None:
        raise unavailable(path, "an errcode that is no number")
    return errcode, told


def unavailable(
    path: str, what: str, *, errcode: int | None = None, wait: int | None = None
) -> WechatUnavailable:
    """
    The error for what may be asked again later.

    Args:
        wait: seconds, where WeChat's limit says how long.
    """
    name = path.rpartition("/")[2]
    return WechatUnavailable(
        "WeChat cannot be asked right now; please try again.",
        reason=f"{name}: {what}",
        retry_after=wait,
        upstream="" if errcode is None else str(errcode),
    )


def whole_number(value: object) -> int | None:
    """A number of WeChat's, which now and then comes as a text; ``None`` for anything else."""
    is_number = isinstance(value, int | str) and re.fullmatch(NUMBER, str(value))
    return int(str(value)) if is_number else None


def trace_id_of(fields: Mapping[str, Any]) -> str | None:
    """What names a check from its submission to its verdict; ``None`` where nothing can."""
    value = fields.get("trace_id")
    return value if isinstance(value, str) and re.fullmatch(TRACE_ID, value) else None


PATH = "/cgi-bin/stable_token"
BUDGET_SECONDS = 2.0
# Whoever gets the token has this long to use it.
EARLY = timedelta(seconds=60)
MAX_LIFE_SECONDS = 86_400
TOKEN = r"[!-~]{1,2048}"
REFUSED_ADDRESS = r"invalid ip ([0-9A-Fa-f.:]{2,45})"
LIMIT_WAIT_SECONDS = 60
NEVER = datetime.min.replace(tzinfo=UTC)


class _Fetch:
    """One fetch, under way or landed; whoever waits for it shares its outcome."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.token = ""
        self.good_until = NEVER
        self.error: UploadError | None = None

    def serves(self, now: datetime) -> bool:
        """Whether somebody who asks now needs no other."""
        return not self.landed.is_set() or now < self.good_until


class AccessTokens:
    """The access token of one mini-program, as one instance has it."""

    def __init__(self, app: WechatApp, send: Send) -> None:
        self._app = app
        self._send = send
        self._last: _Fetch | None = None
        self._lock = threading.Lock()

    def get(self, now: datetime) -> str:
        """
        The token; one that was kept is good for another minute at least.

        Args:
            now: the request's clock reading; the kept token is held to it.

        Raises:
            Misconfigured: AppID, secret or allow-list are not as WeChat wants them.

            WechatRejected, WechatUnavailable: there is none; all who wait for one fetch share that.
        """
        with self._lock:
            fetch, is_ours = self._last, False
            if fetch is None or not fetch.serves(now):
                fetch, is_ours = _Fetch(), True
                self._last = fetch
        if is_ours:
            self._fly(fetch, now)
        fetch.landed.wait()
        if not fetch.token:
            # A copy, because a raised exception collects the traceback of its thread.
            raise copy.copy(fetch.error or unavailable(PATH, "the request that asked broke off"))
        return fetch.token

    def drop(self, token: str) -> None:
        """Forget a token that WeChat does not take; not the one that took its place meanwhile."""
        with self._lock:
            if self._last is not None and self._last.token == token:
                self._last = None

    def _fly(self, fetch: _Fetch, now: datetime) -> None:
        try:
            token, life = self._ask()
            fetch.token, fetch.good_until = token, now + life - EARLY
        except UploadError as error:
            fetch.error = error
        finally:
            fetch.landed.set()

    def _ask(self) -> tuple[str, timedelta]:
        """
        Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
        """
        fields = {"grant_type": "client_credential", "appid": self._app.appid, "secret": self._app.secret}
        errcode, told = post(self._app, PATH, fields, send=self._send, budget_seconds=BUDGET_SECONDS)
        if errcode:
            raise _refusal(errcode, told)
        token, seconds = told.get("access_token"), whole_number(told.get("expires_in"))
        is_token = isinstance(token, str) and re.fullmatch(TOKEN, token)
        if not is_token or seconds is None or not 0 < seconds <= MAX_LIFE_SECONDS:
            raise unavailable(PATH, "the answer holds no token and its life")
        return str(token), timedelta(seconds=seconds)


def _refusal(errcode: int, told: Mapping[str, Any]) -> UploadError:
    code, reason = str(errcode), f"stable_token errcode {errcode}"
    match errcode:
        case -1 | 45009 | 45011:
            return unavailable(PATH, f"errcode {errcode}", errcode=errcode, wait=LIMIT_WAIT_SECONDS)
        case 40164:
            return _address_refused(told, reason)
        case 40013 | 41002:
            sentence = Message("WECHAT_APPID is not what WeChat knows ({reason})", reason=reason)
            return Misconfigured([Problem("WECHAT_APPID", sentence)], upstream=code)
        case 40001 | 40125 | 41004:
            sentence = Message("WECHAT_SECRET does not belong to WECHAT_APPID ({reason})", reason=reason)
            return Misconfigured([Problem("WECHAT_SECRET", sentence)], upstream=code)
    return WechatRejected("WeChat gives the function no access token.", reason=reason, upstream=code)


def _address_refused(told: Mapping[str, Any], reason: str) -> Misconfigured:
    found = re.search(REFUSED_ADDRESS, str(told.get("errmsg")))
    sentence = Message(
        "WECHAT_APPID has an IP allow-list that does not hold {address}, from which this function asks"
        " ({reason}). Switch the list off in WeChat's console (“IP白名单”, among the development settings),"
        " or give the function a fixed address and enter that: without one it asks from addresses that"
        " change",
        address=found[1] if found else Message("the address"),
        reason=reason,
    )
    return Misconfigured([Problem("WECHAT_APPID", sentence)], upstream="40164")
