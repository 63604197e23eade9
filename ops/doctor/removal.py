"""
Removal of the objects that ``doctor`` stored, where the keys of this machine may.
"""

from function.config.settings import Settings
from function.oss.client import OssClient
from function.oss.versions import VERSIONS, Markers, delete_version, list_entries
from function.sts.credentials import AccessKeys
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


def delete_versions(oss: OssClient, keys: set[str], folder: str) -> None:
    """
    Delete all versions and delete markers of keys.

    Args:
        folder: most of them are below it.

    Raises:
        UploadError: OSS refuses, or does not respond; some may be left.
    """
    for prefix in {folder if key.startswith(folder) else key for key in keys}:
        after: Markers | None = Markers()
        while after is not None:
            entries, after = list_entries(oss, VERSIONS, prefix, after)
            for entry in entries:
                if entry.key in keys:
                    delete_version(oss, entry)
