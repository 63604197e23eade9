"""
One cloud on localhost: STS, OSS, WeChat, the playground and a business around a function behind its gateway.

Beside the bucket that the function's settings name there is one for profiles that name theirs.
"""

import secrets
import string
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import jwt

from local.buckets import ARCHIVE, HOME, file_name_at, role_policy, store_of
from local.business.server import BusinessServer
from local.business.service import Business
from local.common.accounts import AccessKey, Accounts
from local.common.reach import LOOPBACK
from local.fc.gateway import FcGateway
from local.oss.callback_delivery import CallbackSigner
from local.oss.presign import presigned_url
from local.oss.rules import OssRules
from local.oss.server import OssServer
from local.playground.actions import actions_of
from local.playground.profiles import told_profiles
from local.playground.server import PlaygroundServer
from local.profiles import lifecycle_rules, profiles_file, read_profiles
from local.sts.server import StsServer
from local.wechat.push import PushSettings
from local.wechat.rules import WechatRules
from local.wechat.server import WechatServer

HERE = Path(__file__).resolve().parent
PAGE_FOLDER = HERE / "playground" / "page"
CLIENT_FOLDER = HERE.parent / "miniprogram" / "oss-direct-upload"

BUCKET, REGION, ROLE_ARN = HOME
ROLE_POLICY = role_policy(BUCKET)
# Obviously not real. Each run has another secret: the local OSS takes what is signed from any page in this
# machine's browser, and each of them would know one that stood here.
FUNCTION_KEY = AccessKey("LOCAL-FUNCTION-KEY-ID", f"local-function-key-secret-{secrets.token_hex(16)}")
APP_ID = "wx0000000000local0"
APP_SECRET = "local-app-secret-that-opens-nothing"
CALLER_KINDS = ("wechat", "jwt", "anonymous")
# From one OSS to the other: what lies between keeps the ports that its pages print.
PORTS_BETWEEN = 5


class LocalCloud:
    """
    Everything the function talks to, and the settings that make it talk to it.

    Args:
        gateway: the function's front door, not yet started. Who reaches it reaches the local OSS and the
            playground as well; STS and WeChat are for the function alone.

        folder: where the local OSS keeps its objects; those of the second bucket in one of its name there.

        caller_auth: ``wechat``, ``jwt`` or ``anonymous``.

        first_port: the emulators take this port and the next free ones; ``0`` lets the system choose.

        extra_settings: variables of the function that replace or join those of this cloud.

        rules, wechat_rules: how the local OSS and WeChat read what their documentation leaves open.

    Attributes:
        oss, archive: the bucket of the function's settings, and that of the profiles which name it.

        stores: both of them.

        push: what a developer of the local WeChat's mini-program has in the console of the message push.
    """

    def __init__(
        self,
        gateway: FcGateway,
        folder: Path,
        caller_auth: str = "wechat",
        first_port: int = 0,
        extra_settings: dict[str, str] | None = None,
        rules: OssRules | None = None,
        wechat_rules: WechatRules | None = None,
    ) -> None:
        if caller_auth not in CALLER_KINDS:
            raise ValueError(f"caller_auth must be one of {', '.join(CALLER_KINDS)}, not {caller_auth!r}")
        self.gateway = gateway
        self.caller_auth = caller_auth
        self._extra_settings = extra_settings or {}
        self._token_secret = secrets.token_hex(32)
        self._jwt_key = secrets.token_hex(32)
        accounts = Accounts(FUNCTION_KEY)
        with ExitStack() as built:
            own = Path(built.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-")))
            store = partial(OssServer, accounts, rules=rules, reach=gateway.reach, signer=CallbackSigner())
            self.oss = store(HOME.bucket, HOME.region, folder, first_port)
            built.callback(self.oss.stop)
            last_port = first_port and first_port + PORTS_BETWEEN
            self.archive = store(ARCHIVE.bucket, ARCHIVE.region, folder / ARCHIVE.bucket, last_port)
            built.callback(self.archive.stop)
            self.stores = (self.oss, self.archive)
            self._profiles_file = profiles_file(caller_auth, own, self.archive.origin)
            self.profiles = read_profiles(self._profiles_file)
            for made in self.stores:
                own_rules = lifecycle_rules(self.profiles, made.bucket.name)
                made.bucket.lifecycle.replace(own_rules, made.bucket.now())
                gateway.rename(made.origin, made.outer_origin)
            self.sts = StsServer(
                *(accounts, ROLE_ARN, ROLE_POLICY),
                port=_after(self.oss.origin, first_port),
                more_roles={ARCHIVE.role_arn: role_policy(ARCHIVE.bucket)},
            )
            built.callback(self.sts.stop)
            self.push = PushSettings(f"{gateway.origin}/wechat-events", secrets.token_hex(16), _letters(43))
            self.wechat = WechatServer(
                APP_ID,
                APP_SECRET,
                port=_after(self.sts.origin, first_port),
                push=self.push,
                name_of=partial(file_name_at, self.stores),
                rules=wechat_rules,
            )
            built.callback(self.wechat.stop)
            self.playground = PlaygroundServer(
                PAGE_FOLDER,
                CLIENT_FOLDER,
                self.page_config,
                self.signed_url,
                actions_of(self.stores, self.wechat),
                port=_after(self.wechat.origin, first_port),
                reach=gateway.reach,
            )
            built.callback(self.playground.stop)
            self.business = BusinessServer(
                Business(gateway.origin, self._receipt_secrets(), HOME.bucket, ARCHIVE.bucket),
                port=_after(self.playground.origin, first_port),
                reach=gateway.reach,
            )
            built.callback(self.business.stop)
            self._stop_all = built.pop_all()

    def __enter__(self) -> "LocalCloud":
        for server in (*self.stores, self.sts, self.wechat, self.playground, self.business):
            server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all.close()

    def environment(self) -> dict[str, str]:
        """The settings of the function, as its deployment would give them."""
        localhost = self.playground.origin.replace(LOOPBACK, "localhost")
        pages = dict.fromkeys((self.playground.origin, localhost, self.playground.outer_origin))
        settings = {
            "OSS_BUCKET": BUCKET,
            "OSS_REGION": REGION,
            "OSS_HOST": self.oss.origin,
            "STS_ROLE_ARN": ROLE_ARN,
            "STS_ENDPOINT": self.sts.origin,
            "CALLER_AUTH": self.caller_auth,
            "TOKEN_SECRET": self._token_secret,
            "CALLBACK_URL": f"{self.gateway.origin}/callback",
            "CALLBACK_KEY_ORIGIN": self.oss.origin,
            "UPLOAD_WEBHOOK_URL": f"{self.business.origin}/webhook",
            "QUOTA_URL": "memory:",
            "PROFILES_FILE": str(self._profiles_file),
            "ALLOWED_ORIGINS": ",".join(pages),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": FUNCTION_KEY.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": FUNCTION_KEY.access_key_secret,
        }
        if self.caller_auth == "wechat":
            settings |= {
                "WECHAT_APPID": APP_ID,
                "WECHAT_SECRET": APP_SECRET,
                "WECHAT_ENDPOINT": self.wechat.origin,
                # A picture is checked by a URL that lives an hour.
                "STS_SESSION_SECONDS": "7200",
                "WECHAT_PUSH_TOKEN": self.push.token,
                "WECHAT_PUSH_AES_KEY": self.push.aes_key,
            }
        if self.caller_auth == "jwt":
            settings |= {"JWT_KEY": self._jwt_key, "JWT_ALGORITHM": "HS256"}
        return settings | self._extra_settings

    def _receipt_secrets(self) -> list[str]:
        """Secrets that the business shares with the function."""
        given = self._extra_settings
        secret = given.get("RECEIPT_SECRET") or given.get("TOKEN_SECRET") or self._token_secret
        return [each.strip() for each in secret.split(",")]

    def business_token(self, subject: str, lifetime_seconds: int = 86400) -> str:
        """A login token as the business's own backend would issue it, for ``caller_auth="jwt"``."""
        now = int(self.gateway.now().timestamp())
        claims = {"sub": subject, "iat": now, "exp": now + lifetime_seconds}
        return jwt.encode(claims, self._jwt_key, algorithm="HS256")

    def signed_url(self, key: str, bucket: str = "") -> str:
        """
        Return a URL of the object, signed by the account, valid for 15 minutes.

        Args:
            bucket: the object's; an empty one is whichever has it.
        """
        store = store_of(self.stores, key, bucket)
        return presigned_url(store.outer_origin, store.bucket, FUNCTION_KEY, key)

    def addresses(self) -> dict[str, Any]:
        """Addresses that ``manage.py serve --json`` prints."""
        addresses: dict[str, Any] = {
            "function": self.gateway.outer_origin,
            "functionFc2": self.gateway.outer_origin,
            "sts": self.sts.origin,
            "oss": self.oss.outer_origin,
            "wechat": self.wechat.origin,
            "playground": self.playground.outer_origin,
            "business": self.business.outer_origin,
            "bucket": BUCKET,
            "region": REGION,
            "roleArn": ROLE_ARN,
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
                for place, store in zip((HOME, ARCHIVE), self.stores, strict=True)
            ],
        }
        if self.caller_auth == "jwt":
            addresses["businessToken"] = self.business_token("local-user")
        return addresses

    def page_config(self) -> dict[str, Any]:
        """Configuration of the playground page; its only secret is a token of the local business."""
        config: dict[str, Any] = {
            "function": self.gateway.outer_origin,
            "oss": self.oss.outer_origin,
            "business": self.business.outer_origin,
            "bucket": BUCKET,
            "callerAuth": self.caller_auth,
            "profiles": told_profiles(self.profiles),
        }
        if self.caller_auth == "jwt":
            config["businessToken"] = self.business_token("playground-user")
        return config


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))


def _after(origin: str, first_port: int) -> int:
    return (urlsplit(origin).port or 0) + 1 if first_port else 0
