"""
Faults that can be planned for the next calls of the local WeChat.
"""

from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW, Faults, Raw
from local.wechat.errors import (
    ADDRESS_REFUSED,
    CODE_BLOCKED,
    DAILY_QUOTA,
    DOWNLOAD_FAILED,
    FOREIGN_OPENID,
    INVALID_APPID,
    INVALID_CODE,
    INVALID_MEDIA_TYPE,
    INVALID_OPENID,
    INVALID_SECRET,
    INVALID_TOKEN,
    MINUTE_QUOTA,
    NOT_ENCRYPTED,
    NOT_SEEN_LATELY,
    NOT_SIGNED,
    RATE_LIMITED,
    REPEATED_TOO_OFTEN,
    SYSTEM_BUSY,
    USED_CODE,
    WechatError,
)

LOGIN, TOKEN, CHECK = "jscode2session", "stable_token", "media_check_async"
CALLS = (LOGIN, TOKEN, CHECK)
# What WeChat sends JSON as; clients have to parse it all the same.
CONTENT_TYPE = "text/plain"

ERRORS: dict[str, WechatError] = {
    "busy": SYSTEM_BUSY,
    "throttled": RATE_LIMITED,
    "blocked": CODE_BLOCKED,
    "invalid_code": INVALID_CODE,
    "used_code": USED_CODE,
    "bad_appid": INVALID_APPID,
    "bad_secret": INVALID_SECRET,
    "bad_token": INVALID_TOKEN,
    "address_refused": ADDRESS_REFUSED,
    "daily_quota": DAILY_QUOTA,
    "not_seen_lately": NOT_SEEN_LATELY,
    "bad_openid": INVALID_OPENID,
    "foreign_openid": FOREIGN_OPENID,
    "bad_media_type": INVALID_MEDIA_TYPE,
    "repeated_too_often": REPEATED_TOO_OFTEN,
    "unreadable": DOWNLOAD_FAILED,
    "not_signed": NOT_SIGNED,
    "not_encrypted": NOT_ENCRYPTED,
}
BOUND: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("blocked", "invalid_code", "used_code"), (LOGIN,)),
    **dict.fromkeys(("bad_appid", "bad_secret"), (LOGIN, TOKEN)),
    # Only what is asked with the app's secret is held against the list of addresses.
    **dict.fromkeys(("address_refused",), (TOKEN,)),
    **dict.fromkeys(("daily_quota",), (TOKEN, CHECK)),
    **dict.fromkeys(
        (
            *("bad_token", "not_seen_lately", "bad_openid", "foreign_openid", "bad_media_type"),
            *("repeated_too_often", "unreadable", "not_signed", "not_encrypted", ANSWER_LOST),
        ),
        (CHECK,),
    ),
}
ANSWERS = {
    **RAW,
    "missing_field": Raw(200, b"{}", CONTENT_TYPE),
    "wrong_type": Raw(
        200,
        b'{"openid": 20301, "session_key": "c2Vzc2lvbl9rZXlfMTIzNA==", "access_token": 20301,'
        b' "expires_in": "7200", "trace_id": 20301}',
        CONTENT_TYPE,
    ),
    "wrong_error_type": Raw(200, b'{"errcode": {"a": 1}}', CONTENT_TYPE),
}
KINDS = frozenset({*ERRORS, *ANSWERS, SLOW, DROP, REDIRECT, ANSWER_LOST})


def new_faults() -> Faults:
    """None planned."""
    return Faults(KINDS, calls=CALLS, bound=BOUND)


def error_of(kind: str, call: str) -> WechatError | None:
    """Return the error of a fault; the check has a limit a minute of its own."""
    return MINUTE_QUOTA if (kind, call) == ("throttled", CHECK) else ERRORS.get(kind)
