"""
The key pair with which the operator's commands ask the cloud.
"""

from collections.abc import Mapping

from function.errors import Misconfigured
from function.sts.assume_role import own_access_keys
from function.sts.credentials import AccessKeys
from ops.terminal.language import Failure, Text

NO_KEYS = Text(
    "No key of the cloud: export AccountID, AccessKeyID and AccessKeySecret, as make deploy reads them.",
    "没有云账号的密钥：请导出 AccountID、AccessKeyID 与 AccessKeySecret（make deploy 读的也是它们）。",
)
NOTHING = Text("", "")


def operator_keys(environ: Mapping[str, str], needs: Text = NOTHING) -> AccessKeys:
    """
    The operator's keys: those of the SDKs, else those that Serverless Devs reads.

    Args:
        needs: what this command needs of them, or does without.

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
        raise Failure(Text(NO_KEYS.en + needs.en, NO_KEYS.zh + needs.zh)) from None
