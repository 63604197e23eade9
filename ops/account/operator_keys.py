"""
The key pair with which the operator's commands ask the cloud.
"""

from collections.abc import Mapping

from function.errors import Misconfigured
from function.sts.assume_role import own_access_keys
from function.sts.credentials import AccessKeys
from ops.terminal.language import Failure, Text

NO_KEYS = Text(
    "No key of the cloud: export AccountID, AccessKeyID and AccessKeySecret, as make deploy reads them, of a"
    " RAM user with AliyunRAMFullAccess and AliyunOSSFullAccess. --dry-run needs no key.",
    "没有云账号的密钥：请导出 AccountID、AccessKeyID 与 AccessKeySecret（make deploy 读的也是它们），"
    "属于有 AliyunRAMFullAccess 与 AliyunOSSFullAccess 权限的 RAM 用户。--dry-run 不需要密钥。",
)


def operator_keys(environ: Mapping[str, str]) -> AccessKeys:
    """
    The operator's keys: those of the SDKs, else those that Serverless Devs reads.

    Raises:
        Failure: there are none.
    """
    names = {"AccessKeyID": "ACCESS_KEY_ID", "AccessKeySecret": "ACCESS_KEY_SECRET"}
    if not environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID") and all(environ.get(name) for name in names):
        token = environ.get("SecurityToken") or None
        return AccessKeys(environ["AccessKeyID"], environ["AccessKeySecret"], token)
    try:
        return own_access_keys(environ, None)
    except Misconfigured:
        raise Failure(NO_KEYS) from None
