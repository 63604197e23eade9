"""Addresses and identities of the local cloud, for scripts and for the function."""

import secrets
from typing import TYPE_CHECKING, Any

from local.buckets import ARCHIVE, HOME
from local.callers import APP_ID, SEVERAL, app_of, settings_alone
from local.common.accounts import AccessKey
from local.playground.server import told_profiles

if TYPE_CHECKING:
    from local.cloud import LocalCloud
    from local.deployment import Deployment

# Obviously not real. Each run has another secret: the local OSS takes what is signed from any page in this
# machine's browser, and each of them would know one that stood here.
FUNCTION_KEY = AccessKey("LOCAL-FUNCTION-KEY-ID", f"local-function-key-secret-{secrets.token_hex(16)}")
APP_SECRET = "local-app-secret-that-opens-nothing"


def settings_of(cloud: "LocalCloud", deployment: "Deployment") -> dict[str, str]:
    """Return the settings that lead the function of a deployment to the services of this cloud."""
    pages = [*cloud.pages(), deployment.settings.get("ALLOWED_ORIGINS")]
    settings = {
        "OSS_BUCKET": HOME.bucket,
        "OSS_REGION": HOME.region,
        "OSS_HOST": cloud.oss.origin,
        "STS_ROLE_ARN": HOME.role_arn,
        "STS_ENDPOINT": cloud.sts.origin,
        "GREEN_ENDPOINT": cloud.green.origin,
        **deployment.settings,
        "CALLER_AUTH": deployment.caller_auth,
        "TOKEN_SECRET": cloud.token_secret,
        "CALLBACK_URL": f"{cloud.gateway.origin}/callback",
        "CALLBACK_KEY_ORIGIN": cloud.oss.origin,
        "UPLOAD_WEBHOOK_URL": f"{cloud.business.origin}/webhook",
        "QUOTA_URL": "memory:",
        "PROFILES_FILE": str(deployment.profiles_file),
        "ALLOWED_ORIGINS": ",".join(filter(None, pages)),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": FUNCTION_KEY.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": FUNCTION_KEY.access_key_secret,
    }
    kinds = {entry.get("kind") for entry in deployment.callers.values()}
    if deployment.caller_auth != SEVERAL:
        kinds = {deployment.caller_auth}
        settings |= settings_alone(cloud, deployment.caller_auth)
    if "wechat" in kinds:
        # A picture is checked by a URL that lives an hour.
        settings["STS_SESSION_SECONDS"] = "7200"
    settings |= {
        f"{kind}_endpoint".upper(): cloud.platforms[kind].origin for kind in cloud.platforms if kind in kinds
    }
    return settings


def addresses_of(cloud: "LocalCloud") -> dict[str, Any]:
    """Return what ``manage.py serve --json`` prints."""
    addresses: dict[str, Any] = {
        "function": cloud.gateway.outer_origin,
        "functionFc2": cloud.gateway.outer_origin,
        "sts": cloud.sts.origin,
        "oss": cloud.oss.outer_origin,
        **{kind: platform.origin for kind, platform in cloud.platforms.items()},
        "playground": cloud.playground.outer_origin,
        "business": cloud.business.outer_origin,
        "green": cloud.green.origin,
        "bucket": HOME.bucket,
        "region": HOME.region,
        "roleArn": HOME.role_arn,
        "accessKeyId": FUNCTION_KEY.access_key_id,
        "accessKeySecret": FUNCTION_KEY.access_key_secret,
        "appId": APP_ID,
        "buckets": [
            {
                "bucket": place.bucket,
                "region": place.region,
                "oss": store.outer_origin,
                "roleArn": place.role_arn,
            }
            for place, store in zip((HOME, ARCHIVE), cloud.stores, strict=True)
        ],
    }
    return addresses | _told_callers(cloud, "local-user")


def page_config_of(cloud: "LocalCloud") -> dict[str, Any]:
    """Return the configuration of the playground page; its only secret is a token of the local business."""
    config: dict[str, Any] = {
        "function": cloud.gateway.outer_origin,
        "oss": cloud.oss.outer_origin,
        "business": cloud.business.outer_origin,
        "green": cloud.green.origin,
        "bucket": HOME.bucket,
        "callerAuth": cloud.caller_auth,
        "isDemo": cloud.deployment.is_demo,
        "profiles": told_profiles(cloud.profiles),
    }
    return config | _told_callers(cloud, "playground-user")


def _told_callers(cloud: "LocalCloud", subject: str) -> dict[str, Any]:
    """Return each of several callers with its AppID or a token of its issuer; of one that token only."""
    if cloud.caller_auth == "jwt":
        return {"businessToken": cloud.business_token(subject)}
    callers = [
        {"name": name, "kind": entry.get("kind"), "app": app_of(entry)}
        | (
            {"businessToken": cloud.business_token(subject, caller=name)}
            if entry.get("kind") == "jwt"
            else {}
        )
        for name, entry in cloud.deployment.callers.items()
    ]
    return {"callers": callers} if callers else {}
