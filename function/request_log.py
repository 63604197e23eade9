"""The one log line of a request: what it was about, never what it held."""

import json
import logging
import re
import traceback

VERSION, TRACE_ID, PARENT_ID, FLAGS = "[0-9a-f]{2}", "[0-9a-f]{32}", "[0-9a-f]{16}", "[0-9a-f]{2}"
# A version that is not known yet may have more behind the flags.
TRACEPARENT = re.compile(rf"(?!ff){VERSION}-(?!0{{32}}){TRACE_ID}-(?!0{{16}}){PARENT_ID}-{FLAGS}(-[!-~]*)?")
KNOWN_LENGTH = 55


def readable_traceparent(given: str) -> str | None:
    """
    The version, trace, parent and flags of a ``traceparent`` header; ``None`` where it is no such thing.

    Anybody may write one, so it is held to its form before it stands in a log line; what a later version
    adds is left out.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    match = TRACEPARENT.fullmatch(given)
    if match is None or (match[1] is not None and given.startswith("00")):
        return None
    return given[:KNOWN_LENGTH]


log = logging.getLogger("oss_direct_upload")
# Not on the watch for circles: what is encoded was put together just before.
encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class LogLine:
    """
    What is known of a request so far; each decider adds its part, so that a refusal tells it as well.

    Args:
        profile, key, upload_id: of one file; of several, lists in order.

        webhook: ``ok``, or what kept the business from being told.

        state: of what is held back, or was; of several a list, with the code of what could not be told.

        trace_id: WeChat's, of a check.

        quota: what was done because the store of the quotas did not answer, and why it did not.

        is_cold: whether it is the first of its instance.

        traceparent: of the trace that the caller says the request belongs to.
    """

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.route: str | None = None
        self.code: str | None = None
        self.profile: str | list[str] | None = None
        self.owner: str | None = None
        self.key: str | list[str] | None = None
        self.upload_id: str | list[str] | None = None
        self.sts_refreshed: bool | None = None
        self.reason: str | None = None
        self.webhook: str | None = None
        self.quota: str | None = None
        self.state: str | list[str] | None = None
        self.trace_id: str | None = None
        self.is_cold = False
        self.traceparent: str | None = None

    def write(self, status: int, milliseconds: float) -> None:
        """As one line of JSON: an error when it is our side's, else information."""
        level = logging.ERROR if status >= 500 else logging.INFO
        if not log.isEnabledFor(level):
            return
        line = {
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
        if self.state:
            line["state"] = self.state
        if self.trace_id:
            line["traceId"] = self.trace_id
        if self.reason:
            line["reason"] = self.reason
        if self.webhook:
            line["webhook"] = self.webhook
        if self.quota:
            line["quota"] = self.quota
        if self.is_cold:
            line["cold"] = True
        if self.traceparent:
            line["traceparent"] = self.traceparent
        # Not log.log: it looks up the file and line that log, which takes longer than the line itself.
        log.handle(log.makeRecord(log.name, level, "", 0, encode(line), (), None))


def lines_of(error: BaseException) -> str:
    """Type of an error that nobody foresaw, and where it arose; never its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {lines}"
