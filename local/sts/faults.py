"""The bad days of the local STS, by the names of the vocabulary."""

from datetime import UTC, datetime, timedelta

from local.common.faults import DROP, RAW, REDIRECT, SLOW, Raw
from local.rpc.errors import NO_PERMISSION, THROTTLED, Refusal

# Answered as an STS error, instead of looking at the request.
REFUSALS = {
    "throttled": THROTTLED,
    "status_429": THROTTLED._replace(status=429),
    "rejected": NO_PERMISSION,
    "status_503": Refusal(
        503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
    ),
    "no_colon": Refusal(
        400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."
    ),
}
# Answered as they are, instead of looking at the request.
ANSWERS = {**RAW, "wrong_type": Raw(200, b'{"Credentials": {"AccessKeyId": 1, "Expiration": []}}')}
# A good answer in every other respect.
ENDS = ("short_life", "expired", "far_future")
MISSING_FIELD = "missing_field"

KINDS = frozenset({*REFUSALS, *ANSWERS, *ENDS, MISSING_FIELD, SLOW, DROP, REDIRECT})


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
