"""
Faults that can be planned for the next calls of the local Alipay.
"""

from local.alipay.errors import INVALID_APP_ID, INVALID_CODE, NO_PERMISSION, SYSTEM_BUSY, AlipayError, invalid
from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW, Faults

FORGED, UNSIGNED, DOUBLED, MISSING = "forged", "unsigned", "doubled_node", "missing_field"
ERRORS: dict[str, AlipayError] = {
    "busy": SYSTEM_BUSY,
    "invalid_code": INVALID_CODE,
    "bad_appid": INVALID_APP_ID,
    "bad_secret": invalid("invalid-signature"),
    "no_permission": NO_PERMISSION,
}
ANSWERS = RAW
KINDS = frozenset({*ERRORS, *RAW, SLOW, DROP, REDIRECT, ANSWER_LOST, FORGED, UNSIGNED, DOUBLED, MISSING})


def new_faults() -> Faults:
    """None planned."""
    return Faults(KINDS)
