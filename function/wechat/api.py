"""WeChat's server API: one bounded call, its answer an object, its numbers read leniently."""

import re
from collections.abc import Mapping
from typing import Any

from function.config.settings import WechatApp
from function.errors import WechatUnavailable
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
