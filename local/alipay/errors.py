"""
Refusals of the gateway that are told here, and its faults.

Source: https://opendocs.alipay.com/common/02km9f
"""

from typing import NamedTuple

from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW


class AlipayError(NamedTuple):
    """An error as the gateway tells it; the words of ``sub_msg`` are ours."""

    sub_code: str
    code: str = "40002"
    msg: str = "Invalid Arguments"
    sub_msg: str = "参数无效"


def missing(field: str) -> AlipayError:
    return AlipayError(f"isv.missing-{_named(field)}", "40001", "Missing Required Arguments", "缺少参数")


def invalid(field: str) -> AlipayError:
    return AlipayError(f"isv.invalid-{_named(field)}")


def _named(field: str) -> str:
    return field.replace("sign", "signature").replace("_", "-")


INVALID_CODE = AlipayError("isv.code-invalid", sub_msg="授权码code无效")
INVALID_GRANT = AlipayError("isv.grant-type-invalid")
NO_PERMISSION = AlipayError("isv.insufficient-isv-permissions", "40006", "Insufficient Permissions")
SYSTEM_BUSY = AlipayError("isp.unknow-error", "20000", "Service Currently Unavailable")

ERRORS = {
    "busy": SYSTEM_BUSY,
    "invalid_code": INVALID_CODE,
    "bad_appid": invalid("app_id"),
    "bad_secret": invalid("sign"),
    "no_permission": NO_PERMISSION,
}
FORGED, UNSIGNED, DOUBLED, MISSING = "forged", "unsigned", "doubled_node", "missing_field"
KINDS = (*ERRORS, *RAW, SLOW, DROP, REDIRECT, ANSWER_LOST, FORGED, UNSIGNED, DOUBLED, MISSING)
