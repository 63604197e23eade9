"""Faults that can be planned for the next calls of the local WeChat."""

from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW, Faults, Raw
from local.wechat import errors
from local.wechat.errors import WechatError

LOGIN, TOKEN, CHECK = "jscode2session", "stable_token", "media_check_async"
CALLS = (LOGIN, TOKEN, CHECK)
# What WeChat sends JSON as; clients have to parse it all the same.
CONTENT_TYPE = "text/plain"

ERRORS: dict[str, WechatError] = {
    "busy": errors.SYSTEM_BUSY,
    "throttled": errors.RATE_LIMITED,
    "blocked": errors.CODE_BLOCKED,
    "invalid_code": errors.INVALID_CODE,
    "used_code": errors.USED_CODE,
    "bad_appid": errors.INVALID_APPID,
    "bad_secret": errors.INVALID_SECRET,
    "bad_token": errors.INVALID_TOKEN,
    "address_refused": errors.ADDRESS_REFUSED,
    "daily_quota": errors.DAILY_QUOTA,
    "not_seen_lately": errors.NOT_SEEN_LATELY,
    "bad_openid": errors.INVALID_OPENID,
    "foreign_openid": errors.FOREIGN_OPENID,
    "bad_media_type": errors.INVALID_MEDIA_TYPE,
    "repeated_too_often": errors.REPEATED_TOO_OFTEN,
    "unreadable": errors.DOWNLOAD_FAILED,
    "not_signed": errors.NOT_SIGNED,
    "not_encrypted": errors.NOT_ENCRYPTED,
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
    return errors.MINUTE_QUOTA if (kind, call) == ("throttled", CHECK) else ERRORS.get(kind)
