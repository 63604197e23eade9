"""
Alibaba's SDK for one bucket, at the host that forms are posted to, with keys of this machine.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from function.config.profile import BucketLocation
from function.config.settings import Settings
from function.credentials import AccessKeys

if TYPE_CHECKING:
    from alibabacloud_oss_v2 import Client


def client_at(location: BucketLocation | Settings, keys: AccessKeys) -> "Client":
    """Return a client that makes each call once."""
    import alibabacloud_oss_v2 as oss

    config: Any = oss.config.load_default()
    config.region = location.region
    # The host is the bucket's own already: a name must not be put before it. Of an IP address the SDK
    # would make the bucket a folder all the same, and reach nothing.
    config.endpoint = location.host.replace("//127.0.0.1", "//localhost")
    config.use_cname = True
    config.disable_ssl = urlsplit(location.host).scheme == "http"
    config.retry_max_attempts = 1
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        keys.access_key_id, keys.access_key_secret, keys.security_token
    )
    return oss.Client(config)
