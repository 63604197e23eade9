"""
Removal of the objects that ``doctor`` stored, where the keys of this machine may.
"""

from function.config.settings import Settings
from function.credentials import AccessKeys
from ops.account.oss_client import client_at


def delete_object(settings: Settings, keys: AccessKeys, key: str) -> bool:
    """Delete an object with keys of this machine, and say whether they may."""
    import alibabacloud_oss_v2 as oss

    request = oss.DeleteObjectRequest(bucket=settings.bucket, key=key)
    try:
        client_at(settings, keys).delete_object(request)
    except oss.exceptions.BaseError:
        return False
    return True
