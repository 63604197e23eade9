"""
Refusals of the gateway that are told here.

Source: https://opendocs.alipay.com/common/02km9f
"""

from typing import NamedTuple


class AlipayError(NamedTuple):
    """An error as the gateway tells it; the words of ``sub_msg`` are ours."""

    code: str
    msg: str
    sub_code: str
    sub_msg: str


def missing(what: str) -> AlipayError:
    return AlipayError("40001", "Missing Required Arguments", f"isv.missing-{what}", "缺少参数")


def invalid(sub_code: str, sub_msg: str = "参数无效") -> AlipayError:
    return AlipayError("40002", "Invalid Arguments", f"isv.{sub_code}", sub_msg)


INVALID_CODE = invalid("code-invalid", "授权码code无效")
INVALID_APP_ID = invalid("invalid-app-id", "无效的AppID参数")
INVALID_TIMESTAMP = invalid("invalid-timestamp", "非法的时间戳参数")
NO_PERMISSION = AlipayError(
    "40006", "Insufficient Permissions", "isv.insufficient-isv-permissions", "ISV权限不足"
)
SYSTEM_BUSY = AlipayError("20000", "Service Currently Unavailable", "isp.unknow-error", "系统繁忙")
