"""
The key pair with which the operator's commands ask the cloud.
"""

from collections.abc import Mapping

from function.credentials import AccessKeys
from function.errors import Misconfigured, Problem
from sts_credentials import own_access_keys


def operator_keys(environ: Mapping[str, str]) -> AccessKeys:
    """
    The operator's keys: those of the SDKs, else those that Serverless Devs reads.

    Raises:
        Misconfigured: there are none.
    """
    names = {"AccessKeyID": "ACCESS_KEY_ID", "AccessKeySecret": "ACCESS_KEY_SECRET"}
    if not environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID") and all(environ.get(name) for name in names):
        token = environ.get("SecurityToken") or None
        return AccessKeys(environ["AccessKeyID"], environ["AccessKeySecret"], token)
    try:
        return own_access_keys(environ, None)
    except Misconfigured:
        sentence = (
            "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are missing: the key of a"
            " RAM user with AliyunRAMFullAccess and AliyunOSSFullAccess. --dry-run needs no key."
        )
        raise Misconfigured([Problem("ALIBABA_CLOUD_ACCESS_KEY_ID", sentence)]) from None
