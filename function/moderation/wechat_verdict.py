"""
Verdicts of WeChat: parsed leniently, because their shape varies, and trusted strictly.

A verdict passes only if nothing in it says otherwise: no error, a ``result`` whose ``suggest`` is ``pass``,
every valid detail passes as well, and no ``label`` or ``isrisky`` beside a pass contradicts it. An unreadable
verdict is an error, and an error publishes nothing.
"""

from collections.abc import Mapping

from function.annotations import Any, NamedTuple
from function.moderation.finding import Outcome
from function.wechat.api import ERRCODE, code_in, trace_id_of, whole_number

EVENT = "wxa_media_check"
# The code of an error that has no readable one.
UNREADABLE = -1
# The label of what is neither risky nor doubtful.
NORMAL = 100


SUGGESTIONS = {"pass": Outcome.PASS, "risky": Outcome.RISKY, "review": Outcome.REVIEW}


class Verdict(NamedTuple):
    """
    WeChat's verdict about one submission.

    Args:
        trace_id: the submission's; letters, digits, ``_`` and ``-``.
        label: WeChat's number of a category, if there is one.
        errcode: WeChat's, 0 for none; -1 for an ``ERROR`` without a code.
    """

    trace_id: str
    outcome: Outcome
    label: int | None = None
    errcode: int = 0


def read_verdict(event: Mapping[str, Any]) -> Verdict | None:
    """
    Read a ``wxa_media_check`` event, of version 2 or 1.

    Args:
        event: of a verified push; its fields may be of any type.

    Returns:
        ``None`` if it has no valid trace id.

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
        if outcome is Outcome.PASS and _is_risky(event):
            outcome = Outcome.REVIEW
    else:
        # Version 1 is trusted for a refusal only: it passed URLs that led nowhere.
        label = None
        outcome = Outcome.RISKY if whole_number(event.get("isrisky")) == 1 else Outcome.ERROR
    return Verdict(trace_id, outcome, label, UNREADABLE if outcome is Outcome.ERROR else 0)


def _error_in(event: Mapping[str, Any]) -> int:
    """Return the code of an event without a verdict; 0 if it has one."""
    errcode, status = code_in(event, ERRCODE), code_in(event, "status_code")
    return UNREADABLE if errcode is None or status is None else errcode or status


def _outcome(result: Mapping[str, Any], detail: object) -> Outcome:
    overall = _suggestion(result)
    if overall is not Outcome.PASS:
        return overall
    entries = [] if detail is None else [detail] if isinstance(detail, dict) else detail
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return Outcome.ERROR
    codes = {code_in(entry, ERRCODE) for entry in entries}
    found = {_suggestion(entry) for entry in entries if code_in(entry, ERRCODE) == 0}
    if None in codes or Outcome.ERROR in found:
        return Outcome.ERROR
    # If no detail is valid, nothing was checked.
    is_agreed = found <= {Outcome.PASS} and bool(found or not entries)
    is_contradicted = any(map(_contradicts_itself, [result, *entries]))
    return Outcome.PASS if is_agreed and not is_contradicted else Outcome.REVIEW


def _contradicts_itself(fields: Mapping[str, Any]) -> bool:
    """Return whether a risk, or a label of one, stands beside a pass."""
    label = fields.get("label")
    is_normal = label is None or whole_number(label) == NORMAL
    return _is_risky(fields) or (not is_normal and _suggestion(fields) is Outcome.PASS)


def _is_risky(fields: Mapping[str, Any]) -> bool:
    """Return whether ``isrisky``, of version 1, is there and is not 0."""
    is_risky = fields.get("isrisky")
    return is_risky is not None and is_risky is not False and whole_number(is_risky) != 0


def _suggestion(fields: Mapping[str, Any]) -> Outcome:
    suggest = fields.get("suggest")
    if not isinstance(suggest, str):
        return Outcome.ERROR
    return SUGGESTIONS.get(suggest.strip().lower(), Outcome.ERROR)
