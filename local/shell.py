"""Inherited environment variables that would lead the function out of the local cloud, or to another hour."""

import time
from collections.abc import MutableMapping

# The demo's client is led by some of them as well.
OWN_SETTINGS = frozenset(
    "OSS_BUCKET OSS_REGION OSS_HOST OSS_ENDPOINT READ_ORIGIN READ_RATE SIGN_PART_LENGTH "
    "OSS_SIGNATURE_VERSION STS_ROLE_ARN STS_ENDPOINT STS_SESSION_SECONDS GREEN_ENDPOINT "
    "CALLER_AUTH WECHAT_APPID WECHAT_SECRET WECHAT_ENDPOINT JWT_KEY JWT_ALGORITHM JWT_ISSUER JWT_AUDIENCE "
    "WECHAT_PUSH_TOKEN WECHAT_PUSH_AES_KEY WECHAT_PUSH_FORWARD_URL "
    "TOKEN_SECRET RECEIPT_SECRET OWNER_SECRET TOKEN_SECONDS CALLBACK_URL PUBLIC_URL CALLBACK_KEY_ORIGIN "
    "UPLOAD_WEBHOOK_URL CALLER_RATE LOGIN_RATE QUOTA_URL QUOTA_WHEN_DOWN QUOTA_UTC_OFFSET "
    "CLIENT_ADDRESS_HEADER ERASE ERASE_ON AI_LABEL_CODE PROFILES_FILE ALLOWED_ORIGINS LOG_LEVEL "
    "DEBUG HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY".split()
)
FOREIGN_PREFIXES = ("ALIBABA_CLOUD_", "ALIPAY_", "ALIYUN_ACCESS_KEY_", "ALICLOUD_", "DOUYIN_", "FC_")


def clear_inherited_settings(environ: MutableMapping[str, str]) -> None:
    """Remove every variable, in either case, that could change what the function does."""
    for name in list(environ):
        if name.upper() in OWN_SETTINGS or name.upper().startswith(FOREIGN_PREFIXES):
            del environ[name]


def use_utc(environ: MutableMapping[str, str]) -> None:
    """Set this process to UTC, as instances of Function Compute are; Windows has no ``tzset`` and stays."""
    environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
