"""
Removal of the objects that ``doctor`` stored, where the keys of this machine may.
"""

from typing import Any
from urllib.parse import urlsplit

from function.config.settings import Settings
from function.credentials import AccessKeys


def delete_object(settings: Settings, keys: AccessKeys, key: str) -> bool:
    """Delete an object with keys of this machine, and say whether they may."""
    import alibabacloud_oss_v2 as oss

    config: Any = oss.config.load_default()
    config.region = settings.region
    # The host is the bucket's own already: a name must not be put before it. Of an IP address the SDK
    # would make the bucket a folder all the same, and delete nothing.
    config.endpoint = settings.host.replace("//127.0.0.1", "//localhost")
    config.use_cname = True
    config.disable_ssl = urlsplit(settings.host).scheme == "http"
    config.retry_max_attempts = 1
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        keys.access_key_id, keys.access_key_secret, keys.security_token
    )
    try:
        oss.Client(config).delete_object(oss.DeleteObjectRequest(bucket=settings.bucket, key=key))
    except oss.exceptions.BaseError:
        return False
    return True
