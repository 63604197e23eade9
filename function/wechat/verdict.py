"""
A verdict of WeChat's: read leniently, because its shape varies, and believed strictly.

It says "pass" only where nothing in it says otherwise: no error, a ``result`` whose ``suggest`` is ``pass``,
and every valid detail passes as well. What cannot be read is an error, and an error publishes nothing.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from function.wechat.api import ERRCODE, trace_id_of, whole_number

EVENT = "wxa_media_check"
# Version 1 writes its negative codes without a sign, in 32 bits.
UNSIGNED = 1 << 32
# In place of a code that is there and is no number.
UNREADABLE = -1


class Outcome(Enum):
    """What a verdict comes to."""

    PASS = auto()
    RISKY = auto()
    REVIEW = auto()
    ERROR = auto()


SUGGESTIONS = {"pass": Outcome.PASS, "risky": Outcome.RISKY, "review": Outcome.REVIEW}


class Verdict(NamedTuple):
    """
    What WeChat says about one submission.

    Args:
        trace_id: the submission's; letters, digits, ``_`` and ``-``.

        label: WeChat's number for what it saw, where it gave one.

        errcode: WeChat's, 0 for none; of an ``ERROR`` that has none of its own, -1.
    """

    trace_id: str
    outcome: Outcome
    label: int | None = None
    errcode: int = 0


def read_verdict(event: Mapping[str, Any]) -> Verdict | None:
    """
    Read a ``wxa_media_check`` event, of version 2 or 1.

    Args:
        event: of a push that was verified; its fields may be of any type.

    Returns:
        ``None`` where nothing says what it is about.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    trace_id = trace_id_of(event)
    if trace_id is None:
        return None
    errcode = _error_in(event)
    if errcode:
        return Verdict(trace_id, Outcome.ERROR, errcode=errcode)
    result = event.get("result")
    if isinstance(result, dict):
        label = whole_number(result.get("label"))
        outcome = _outcome(result, event.get("detail"))
    else:
        # Of version 1 only its no is taken: it said yes to addresses where there was nothing.
        label = None
        outcome = Outcome.RISKY if whole_number(event.get("isrisky")) == 1 else Outcome.ERROR
    return Verdict(trace_id, outcome, label, UNREADABLE if outcome is Outcome.ERROR else 0)


def _error_in(event: Mapping[str, Any]) -> int:
    """The code that says that there is no verdict; 0 where nothing says so."""
    errcode, status = _code_in(event, ERRCODE), _code_in(event, "status_code")
    if errcode is None or status is None:
        return UNREADABLE
    return errcode or (status - UNSIGNED if status >= UNSIGNED // 2 else status)


def _outcome(result: Mapping[str, Any], detail: object) -> Outcome:
    overall = _suggestion(result)
    if overall is not Outcome.PASS or detail is None:
        return overall
    entries = [detail] if isinstance(detail, dict) else detail
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return Outcome.ERROR
    codes = {_code_in(entry, ERRCODE) for entry in entries}
    found = {_suggestion(entry) for entry in entries if _code_in(entry, ERRCODE) == 0}
    if None in codes or Outcome.ERROR in found:
        return Outcome.ERROR
    # Details of which none is valid say that nobody looked.
    is_agreed = found <= {Outcome.PASS} and bool(found or not entries)
    return Outcome.PASS if is_agreed else Outcome.REVIEW


def _suggestion(fields: Mapping[str, Any]) -> Outcome:
    suggest = fields.get("suggest")
    if not isinstance(suggest, str):
        return Outcome.ERROR
    return SUGGESTIONS.get(suggest.strip().lower(), Outcome.ERROR)


def _code_in(fields: Mapping[str, Any], name: str) -> int | None:
    """A code of WeChat's, 0 where there is none, ``None`` for what is no number."""
    value = fields.get(name)
    return 0 if value is None else whole_number(value)
