"""
The bad days the local STS can play, one entry for each kind a fault may name.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from local.sts.errors import NO_PERMISSION, THROTTLED, Refusal

# Answered as an STS error, instead of looking at the request.
REFUSALS = {
    "throttle": THROTTLED,
    "throttle_429": THROTTLED._replace(status=429),
    "forbidden": NO_PERMISSION,
    "status_503": Refusal(
        503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
    ),
    "no_colon": Refusal(
        400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."
    ),
}


class Raw(NamedTuple):
    status: int
    body: bytes
    content_type: str


# Answered as they are, instead of looking at the request.
RAW = {
    "status_500": Raw(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html"),
    "malformed": Raw(200, b'{"RequestId": "7C1C0FF4", "Credentials": {"AccessKeyId": ', "application/json"),
    "empty": Raw(200, b"", "application/json"),
    "null": Raw(200, b"null", "application/json"),
    "not_utf8": Raw(502, b"\xff\xfe\xc3\x28 bad gateway", "text/html"),
    "huge": Raw(200, json.dumps({"RequestId": "A" * 2**20}).encode(), "application/json"),
}

# A good answer in every other respect.
ENDS = ("short_life", "expired", "far_future")
MISSING_FIELD = "missing_field"

# What happens to the connection.
SLOW, DROP, REDIRECT = "slow", "drop", "redirect"

KINDS = frozenset({*REFUSALS, *RAW, *ENDS, MISSING_FIELD, SLOW, DROP, REDIRECT})


def end_of(kind: str, now: datetime) -> datetime | None:
    """The Expiration a fault gives the session, or ``None`` when it leaves that alone."""
    match kind:
        case "short_life":
            return (now + timedelta(seconds=30)).replace(microsecond=0)
        case "expired":
            return (now - timedelta(hours=1)).replace(microsecond=0)
        case "far_future":
            return datetime(2999, 1, 1, tzinfo=UTC)
    return None
