"""The trace that a request belongs to, as W3C writes it: taken when it is one, and passed on unchanged."""

import re

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
