"""The log line of a request: its ids and outcome, never its contents."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

VERSION, TRACE_ID, PARENT_ID, FLAGS = "[0-9a-f]{2}", "[0-9a-f]{32}", "[0-9a-f]{16}", "[0-9a-f]{2}"
# Later versions may append fields after the flags.
TRACEPARENT = rf"(?!ff){VERSION}-(?!0{{32}}){TRACE_ID}-(?!0{{16}}){PARENT_ID}-{FLAGS}(-[!-~]*)?"
KNOWN_LENGTH = 55


def readable_traceparent(header: str) -> str | None:
    """
    Return version, trace, parent and flags of a ``traceparent`` header; ``None`` if it is malformed.

    Anyone can send one, so it is checked before it is logged; additions of later versions are dropped.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    match = re.fullmatch(TRACEPARENT, header)
    if match is None or (match[1] is not None and header.startswith("00")):
        return None
    return header[:KNOWN_LENGTH]


log = logging.getLogger("oss_direct_upload")
# No check for cycles: every value encoded was built just before.
encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# Takes level, request id and text of a line.
WriteLine = Callable[[int, str, str], None]


def to_logging(level: int, _request_id: str, text: str) -> None:
    """Hand a line to the log handlers of the process."""
    # Not log.log: finding the calling file and line takes longer than the line itself.
    log.handle(log.makeRecord(log.name, level, "", 0, text, (), None))


def to_standard_output(level: int, request_id: str, text: str) -> None:
    """
    Write a line as the log handler of FC's runtime does, in one piece, without making a record first.

    Where a line begins with a date, FC begins a new entry of its log; it appends other lines to the last one.

    Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/logging-2
    """
    moment = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    level_name = "ERROR" if level >= logging.ERROR else "INFO"
    try:
        sys.stdout.write(f"{moment}Z {request_id} [{level_name}] {text}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        # As logging has it: a log that cannot be written fails no request.
        return


class LogLine:
    """
    Facts about one request, added as they are found, so that the line of a refusal has them as well.

    Args:
        caller: id of the caller, where there are several.
        profile, key, upload_id: of one file; of several files lists in order.
        webhook: ``ok``, or the reason of a failed delivery.
        state: of a held object; of several a list, with error codes in the place of unknown states.
        trace_id: WeChat's id of a content check.
        verdict: checker and labels, as the webhook has them.
        event: of WeChat, about a user's authorisation.
        due, left: of a tick: records that were due, and those that still are.
        quota: action taken while the quota store was down, and the reason.
        is_cold: True for the first request of an instance.
    """

    def __init__(self, request_id: str = "") -> None:
        self.request_id = request_id
        self.route: str | None = None
        self.code: str | None = None
        self.profile: str | list[str] | None = None
        self.owner: str | None = None
        self.caller: str | None = None
        self.key: str | list[str] | None = None
        self.upload_id: str | list[str] | None = None
        self.sts_refreshed: bool | None = None
        self.reason: str | None = None
        self.webhook: str | None = None
        self.quota: str | None = None
        self.state: str | list[str] | None = None
        self.trace_id: str | None = None
        self.verdict: dict[str, object] | None = None
        self.event: str | None = None
        self.due: int | None = None
        self.left = 0
        self.is_cold = False
        self.traceparent: str | None = None

    def write(self, status: int, milliseconds: float, write_line: WriteLine = to_logging) -> None:
        """Log one line of JSON: at level ERROR for a 5xx, else INFO."""
        level = logging.ERROR if status >= 500 else logging.INFO
        if not log.isEnabledFor(level):
            return
        line: dict[str, object] = {
            "requestId": self.request_id,
            "route": self.route,
            "status": status,
            "code": self.code,
            "ms": milliseconds,
            "profile": self.profile,
            "owner": self.owner,
            "key": self.key,
            "uploadId": self.upload_id,
            "stsRefreshed": self.sts_refreshed,
        }
        for name, value in (
            *(
                ("caller", self.caller),
                ("state", self.state),
                ("traceId", self.trace_id),
                ("verdict", self.verdict),
            ),
            *(("event", self.event), ("reason", self.reason)),
            *(("webhook", self.webhook), ("quota", self.quota)),
        ):
            if value:
                line[name] = value
        if self.due is not None:
            line |= {"due": self.due, "left": self.left}
        if self.is_cold:
            line["cold"] = True
        if self.traceparent:
            line["traceparent"] = self.traceparent
        write_line(level, self.request_id, encode(line))


def lines_of(error: BaseException) -> str:
    """Return type and location of an unexpected error; never its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {lines}"
