"""WeChat's server API: one bounded call, and the access token that its calls need."""

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from function.annotations import Any
from function.config.key_template import RECORD_ID
from function.errors import Misconfigured, Problem, UploadError, WechatUnavailable
from function.http.client import ExchangeFailed, Send
from function.http.json_body import object_in
from function.messages import Message
from function.sts.credentials import SingleFlight
from function.wechat import WechatApp, wrong_appid, wrong_secret

ERRCODE = "errcode"
# Version 1 of the content check writes negative codes without a sign, in 32 bits.
UNSIGNED = 1 << 32
NUMBER = r"-?[0-9]{1,10}"


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
    Post one JSON object and read the object in the response.

    Returns:
        its errcode (0 if absent) and the object.

    Raises:
        WechatUnavailable: no readable response; the error never contains the request, which holds secrets.
    """
    from json import dumps

    try:
        http_response = send(
            "POST",
            f"{app.endpoint}{path}",
            query=query,
            body=dumps(fields).encode(),
            headers={"Content-Type": "application/json"},
            budget_seconds=budget_seconds,
        )
    except ExchangeFailed as error:
        raise unavailable(path, error.kind) from None
    if http_response.status >= 500:
        raise unavailable(path, f"HTTP {http_response.status}")
    response = object_in(http_response.body)
    if response is None:
        raise unavailable(path, f"HTTP {http_response.status}, but no JSON")
    errcode = code_in(response, ERRCODE)
    if errcode is None:
        raise unavailable(path, "an errcode that is no number")
    return errcode, response


def unavailable(
    path: str, problem: str, *, errcode: int | None = None, wait: int | None = None
) -> WechatUnavailable:
    """
    Return the error for a call that may be retried later.

    Args:
        wait: seconds, for a rate limit of WeChat.
    """
    name = path.rpartition("/")[2]
    return WechatUnavailable(
        "WeChat is unavailable right now; please try again.",
        reason=f"{name}: {problem}",
        retry_after=wait,
        upstream="" if errcode is None else str(errcode),
    )


def whole_number(value: object) -> int | None:
    """Return a number that WeChat may send as text; ``None`` for anything else."""
    is_number = isinstance(value, int | str) and re.fullmatch(NUMBER, str(value))
    return int(str(value)) if is_number else None


def code_in(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a code of WeChat's with its sign: 0 if absent, ``None`` if it is not a number."""
    code = 0 if fields.get(name) is None else whole_number(fields[name])
    return code - UNSIGNED if code is not None and code >= UNSIGNED // 2 else code


def trace_id_of(fields: Mapping[str, Any]) -> str | None:
    """Return the id of a check, the same in its submission and its verdict; ``None`` if it is invalid."""
    value = fields.get("trace_id")
    return value if isinstance(value, str) and re.fullmatch(RECORD_ID, value) else None


PATH = "/cgi-bin/stable_token"
BUDGET_SECONDS = 2.0
# A caller has this long to use the token.
EARLY = timedelta(seconds=60)
MAX_LIFE_SECONDS = 86_400
TOKEN = r"[!-~]{1,2048}"
REFUSED_ADDRESS = r"invalid ip ([0-9A-Fa-f.:]{2,45})"
LIMIT_WAIT_SECONDS = 60


class AccessTokens:
    """The access token of one mini-program, cached by one instance."""

    def __init__(self, app: WechatApp, send: Send) -> None:
        self._app = app
        self._send = send
        self._last: SingleFlight[tuple[str, datetime]] | None = None
        self._lock = threading.Lock()

    def get(
        self, now: datetime, send: Send | None = None, seconds_left: Callable[[], float] | None = None
    ) -> str:
        """
        Return the token; a cached one is good for another minute at least.

        Args:
            now: the request's clock reading.
            send, seconds_left: of a request with a deadline.

        Raises:
            Misconfigured: WeChat does not accept the AppID, the secret or the function's address.
            WechatUnavailable: there is none; all who wait for one fetch share the error.
        """
        with self._lock:
            flight, is_ours = self._last, False
            if flight is None or not _serves(flight, now):
                flight, is_ours = SingleFlight(), True
                self._last = flight
        if is_ours:
            flight.run(lambda: self._fetch(now, send or self._send))
        seconds = seconds_left() if seconds_left else None
        return flight.wait(lambda: unavailable(PATH, "the request that fetched it broke off"), seconds)[0]

    def drop(self, token: str) -> None:
        """Forget a token that WeChat rejects, unless another has replaced it meanwhile."""
        with self._lock:
            if self._last is not None and self._last.result is not None and self._last.result[0] == token:
                self._last = None

    def _fetch(self, now: datetime, send: Send) -> tuple[str, datetime]:
        """
        Return the token and when it stops being served.

        Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
        """
        fields = {"grant_type": "client_credential", "appid": self._app.appid, "secret": self._app.secret}
        errcode, response = post(self._app, PATH, fields, send=send, budget_seconds=BUDGET_SECONDS)
        if errcode:
            raise _refusal(errcode, response)
        token, seconds = response.get("access_token"), whole_number(response.get("expires_in"))
        is_token = isinstance(token, str) and re.fullmatch(TOKEN, token)
        if not is_token or seconds is None or not 0 < seconds <= MAX_LIFE_SECONDS:
            raise unavailable(PATH, "the response has no token with its lifetime")
        return str(token), now + timedelta(seconds=seconds) - EARLY


def _serves(flight: SingleFlight[tuple[str, datetime]], now: datetime) -> bool:
    """Return whether it is under way, or brought a token that is still good."""
    return not flight.is_done or (flight.result is not None and now < flight.result[1])


def _refusal(errcode: int, response: Mapping[str, Any]) -> UploadError:
    code, reason = str(errcode), f"stable_token errcode {errcode}"
    match errcode:
        case 40164:
            return _address_refused(response, reason)
        case 40013 | 41002:
            return wrong_appid(reason, code)
        case 40001 | 40125 | 41004:
            return wrong_secret(reason, code)
    return unavailable(PATH, f"errcode {errcode}", errcode=errcode, wait=LIMIT_WAIT_SECONDS)


def _address_refused(response: Mapping[str, Any], reason: str) -> Misconfigured:
    found = re.search(REFUSED_ADDRESS, str(response.get("errmsg")))
    sentence = Message(
        "WECHAT_APPID has an IP allow-list that does not hold {address}, from which this function asks"
        " ({reason}). Switch the list off in WeChat's console (“IP白名单”, among the development settings),"
        " or give the function a fixed address and enter that: without one it asks from addresses that"
        " change",
        address=found[1] if found else Message("the address"),
        reason=reason,
    )
    return Misconfigured([Problem("WECHAT_APPID", sentence)], upstream="40164")
