"""The operator's keys, and the client of OSS with them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from function.config.profile import BucketLocation
from function.config.settings import Settings
from function.errors import Misconfigured
from function.sts.assume_role import own_access_keys
from function.sts.credentials import AccessKeys
from ops.terminal.language import Failure, Text

if TYPE_CHECKING:
    from alibabacloud_oss_v2 import Client
    from alibabacloud_oss_v2.exceptions import BaseError

CONNECT_SECONDS = 5
READ_SECONDS = 20
NO_KEYS = Text(
    "No key of the cloud: export AccountID, AccessKeyID and AccessKeySecret, as make deploy reads them.",
    "没有云账号的密钥：请导出 AccountID、AccessKeyID 与 AccessKeySecret（make deploy 读的也是它们）。",
)
NOTHING = Text("", "")
REFUSED = Text(
    "OSS refuses: {code} (bucket {bucket}); what to do: manage.py explain {code}",
    "OSS 拒绝：{code}（桶 {bucket}）；怎么办：manage.py explain {code}",
)
UNREACHABLE = Text(
    "{host} cannot be reached (bucket {bucket}): check the network, and OSS_REGION, OSS_HOST or the profile's"
    " host.",
    "连不上 {host}（桶 {bucket}）：请检查网络，以及 OSS_REGION、OSS_HOST 或用途的 host。",
)


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


def client_at(location: BucketLocation | Settings, keys: AccessKeys) -> "Client":
    """Return a client that makes each call once, at the host that forms are posted to."""
    return oss_client(keys, location.region, location.host)


def oss_client(keys: AccessKeys, region: str, host: str = "", attempts: int = 1) -> "Client":
    """Return a client for the buckets of a region, or for the one whose host it is."""
    import alibabacloud_oss_v2 as oss

    config: Any = oss.config.load_default()
    config.region = region
    config.connect_timeout, config.readwrite_timeout = CONNECT_SECONDS, READ_SECONDS
    config.retry_max_attempts = attempts
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        keys.access_key_id, keys.access_key_secret, keys.security_token
    )
    if host:
        # It is the bucket's own already: a name must not be put before it. Of an IP address the SDK would
        # make the bucket a folder all the same, and reach nothing.
        config.endpoint, config.use_cname = host.replace("//127.0.0.1", "//localhost"), True
        config.disable_ssl = urlsplit(host).scheme == "http"
    return oss.Client(config)


def code_of(error: "BaseError") -> str:
    """Return the error code of OSS, else the name of the failure."""
    cause: Any = error.unwrap() if hasattr(error, "unwrap") else error
    return getattr(cause, "code", "") or type(cause).__name__


def failure_of(error: "BaseError", location: BucketLocation) -> Failure:
    """Return the sentence about a bucket that refuses, or that is not reached."""
    code = code_of(error)
    words = UNREACHABLE if code == "RequestError" else REFUSED
    return Failure(words.filled(code=code, host=location.host, bucket=location.bucket))
