"""
The bad days of the local content moderation, by the names of the vocabulary.

Codes of its own, odd shapes and late answers are planned answers, not faults.
"""

from local.common.faults import DROP, RAW, REDIRECT, SLOW, Raw
from local.rpc.errors import NO_PERMISSION, THROTTLED, Refusal

# Answered by the gateway, instead of looking at the request: Code is a text in each.
REFUSALS = {
    "throttled": THROTTLED,
    "status_429": THROTTLED._replace(status=429),
    "rejected": NO_PERMISSION,
    "no_permission_with_200": NO_PERMISSION._replace(status=200),
    "no_colon": Refusal(
        400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."
    ),
}
# Answered as they are, instead of looking at the request.
ANSWERS = {
    **RAW,
    "status_503": Raw(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", "text/html"),
    "html": Raw(200, b"<html><body>Please log in to the network.</body></html>", "text/html"),
    "wrong_type": Raw(200, b'{"Code": "200", "Msg": 5, "RequestId": 1, "Data": [{"RiskLevel": 0}]}'),
    "missing_field": Raw(200, b'{"RequestId": "7C1C0FF4"}'),
}
# A good answer in every other respect.
SLOW_BODY = "slow_body"

KINDS = frozenset({*REFUSALS, *ANSWERS, SLOW_BODY, SLOW, DROP, REDIRECT})
