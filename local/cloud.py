"""
One cloud on localhost around a function behind its gateway: STS, OSS, WeChat, content moderation, the
playground and a business.

Beside the bucket that the function's settings name there is one for profiles that name theirs.
"""

import secrets
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from local.addresses import APP_SECRET, FUNCTION_KEY, addresses_of, page_config_of, settings_of
from local.alipay.rules import AlipayRules
from local.alipay.server import AlipayServer
from local.buckets import ARCHIVE, HOME, file_name_at, role_policy, store_of
from local.business.server import BusinessServer
from local.business.service import Business
from local.callers import APP_ID, CALLER_KINDS, new_push, prepared, sample_callers, token_of
from local.common.accounts import Accounts
from local.common.clock import MovedClock
from local.common.reach import LOOPBACK
from local.deployment import Deployment, cors_rules
from local.douyin.rules import DouyinRules
from local.douyin.server import DouyinServer
from local.fc.gateway import FcGateway
from local.fc.timer import Timer
from local.green.rules import GreenRules
from local.green.server import GreenServer
from local.oss.callback_delivery import CallbackSigner
from local.oss.presign import presigned_url
from local.oss.rules import OssRules
from local.oss.server import OssServer
from local.playground.server import PlaygroundServer, actions_of
from local.profiles import Profiles, lifecycle_rules, sample_profiles
from local.sts.server import StsServer
from local.wechat.rules import WechatRules
from local.wechat.server import WechatServer

HERE = Path(__file__).resolve().parent
PAGE_FOLDER = HERE / "playground" / "page"
CLIENT_FOLDER = HERE.parent / "miniprogram" / "example" / "utils" / "oss-direct-upload"

BUCKET, REGION, ROLE_ARN = HOME
ROLE_POLICY = role_policy(BUCKET)
# From one OSS to the other: what lies between keeps the ports that its pages print.
PORTS_BETWEEN = 5


class LocalCloud:
    """
    Everything the function talks to, and the settings that make it talk to it.

    It begins with the samples of ``local/demo/``; ``deploy`` puts another deployment in their place.

    Args:
        gateway: the function's front door, not yet started. Who reaches it reaches the local OSS and the
            playground as well; STS, WeChat and content moderation are for the function alone.

        folder: where the local OSS keeps its objects; those of the second bucket in one of its name there.

        caller_auth: one of ``CALLER_KINDS``.

        first_port: the emulators take this port and the next free ones; ``0`` lets the system choose.

        extra_settings: variables of the function that replace or join those of this cloud.

        rules, wechat_rules, green_rules, alipay_rules, douyin_rules: how the local services read what their
            documentation leaves open.

    Attributes:
        oss, archive: the bucket of the function's settings, and that of the profiles which name it.

        stores: both of them.

        push: what the developer of WeChat's first mini-program has in the console of the message push.

        platforms: those whose mini-programs log in, by the kind of their callers.

        running: requests that are being answered, and what WeChat still has to do.
    """

    prepare = prepared
    business_token = token_of
    addresses = addresses_of
    page_config = page_config_of

    def __init__(
        self,
        gateway: FcGateway,
        folder: Path,
        caller_auth: str = "wechat",
        first_port: int = 0,
        extra_settings: dict[str, str] | None = None,
        rules: OssRules | None = None,
        wechat_rules: WechatRules | None = None,
        green_rules: GreenRules | None = None,
        alipay_rules: AlipayRules | None = None,
        douyin_rules: DouyinRules | None = None,
    ) -> None:
        if caller_auth not in CALLER_KINDS:
            raise ValueError(f"caller_auth must be one of {', '.join(CALLER_KINDS)}, not {caller_auth!r}")
        self.gateway = gateway
        # The SDK signs for STS by the machine's clock, however far this one was moved.
        machine = gateway.now
        gateway.now = self.clock = MovedClock(machine)
        self.timer = Timer(gateway.invoke, self.clock)
        self._extra_settings = extra_settings or {}
        self.token_secret = secrets.token_hex(32)
        self.jwt_key = secrets.token_hex(32)
        accounts = Accounts(FUNCTION_KEY)
        with ExitStack() as built:
            own = Path(built.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-")))
            store = partial(OssServer, accounts, rules=rules, signer=CallbackSigner())
            store = partial(store, now=self.clock, reach=gateway.reach)
            self.oss = store(HOME.bucket, HOME.region, folder, first_port)
            built.callback(self.oss.stop)
            last_port = first_port and first_port + PORTS_BETWEEN
            self.archive = store(ARCHIVE.bucket, ARCHIVE.region, folder / ARCHIVE.bucket, last_port)
            built.callback(self.archive.stop)
            self.stores = (self.oss, self.archive)
            self.folder = own
            for made in self.stores:
                gateway.rename(made.origin, made.outer_origin)
            self.sts = StsServer(
                *(accounts, ROLE_ARN, ROLE_POLICY),
                port=_after(self.oss.origin, first_port),
                now=self.clock,
                callers_now=machine,
                more_roles={ARCHIVE.role_arn: role_policy(ARCHIVE.bucket)},
            )
            built.callback(self.sts.stop)
            self.push = new_push(f"{gateway.origin}/wechat-events")
            self.wechat = WechatServer(
                APP_ID,
                APP_SECRET,
                port=_after(self.sts.origin, first_port),
                now=self.clock,
                push=self.push,
                name_of=partial(file_name_at, self.stores),
                rules=wechat_rules,
            )
            built.callback(self.wechat.stop)
            self.green = GreenServer(
                accounts,
                port=_after(self.archive.origin, first_port),
                now=self.clock,
                callers_now=machine,
                rules=green_rules,
                name_of=partial(file_name_at, self.stores),
                url_of=lambda bucket, key: self.signed_url(key, bucket),
            )
            built.callback(self.green.stop)
            self.playground = PlaygroundServer(
                PAGE_FOLDER,
                CLIENT_FOLDER,
                self.page_config,
                self.signed_url,
                actions_of(self.stores, self.let_minutes_pass),
                port=_after(self.wechat.origin, first_port),
                reach=gateway.reach,
            )
            built.callback(self.playground.stop)
            buckets = HOME.bucket, ARCHIVE.bucket
            self.business = BusinessServer(
                Business(gateway.origin, self._receipt_secrets, *buckets, now=self.clock),
                port=_after(self.playground.origin, first_port),
                reach=gateway.reach,
            )
            built.callback(self.business.stop)
            self.alipay = AlipayServer(_after(self.green.origin, first_port), self.clock, alipay_rules)
            built.callback(self.alipay.stop)
            self.douyin = DouyinServer(_after(self.alipay.origin, first_port), self.clock, douyin_rules)
            built.callback(self.douyin.stop)
            self.platforms: dict[str, WechatServer | AlipayServer | DouyinServer] = {
                "wechat": self.wechat,
                "alipay": self.alipay,
                "douyin": self.douyin,
            }
            callers = sample_callers(caller_auth)
            self.deploy(self.prepare(caller_auth, sample_profiles(caller_auth), {}, callers, is_demo=True))
            self.running = self.wechat.checks.delivery.running
            self._stop_all = built.pop_all()

    def __enter__(self) -> Self:
        platforms = self.platforms.values()
        servers = (*self.stores, self.sts, *platforms, self.playground, self.business, self.green)
        for server in (self.gateway, *servers):
            server.count_in(self.running)
        for server in servers:
            server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all.close()

    @property
    def caller_auth(self) -> str:
        return self.deployment.caller_auth

    @property
    def profiles(self) -> Profiles:
        return self.deployment.profiles

    def deploy(self, deployment: Deployment) -> None:
        """Let everything around the function go by this deployment from now on."""
        self.deployment = deployment
        for store in self.stores:
            rules = lifecycle_rules(deployment.profiles, store.bucket.name)
            store.bucket.lifecycle.replace(rules, store.bucket.now())
            store.bucket.cors = cors_rules(deployment, store.bucket.name, self.pages)

    def let_minutes_pass(self, minutes: int) -> None:
        """Move the clock of everything here, with a tick of the timer in each minute."""
        for _ in range(minutes):
            self.clock.move(minutes=1)
            self.timer.tick()

    def idle(self) -> Self:
        """Return the same cloud, once nothing in it waits or runs."""
        self.running.wait()
        return self

    def reset(self) -> None:
        """Let what waits go, and forget what anybody planned, asked and stored here; the clock stays."""
        services = (*self.stores, self.sts, *self.platforms.values(), self.green)
        for service in services:
            service.faults.clear()
        self.wechat.checks.delivery.forget()
        self.idle()
        for service in services:
            service.reset()
        self.business.business.reset()

    def environment(self, deployment: Deployment | None = None) -> dict[str, str]:
        """The settings of the function in a deployment; by default in the one that runs."""
        return {**settings_of(self, deployment or self.deployment), **self._extra_settings}

    def pages(self) -> list[str]:
        """Origins under which a browser may have the playground."""
        localhost = self.playground.origin.replace(LOOPBACK, "localhost")
        return list(dict.fromkeys((self.playground.origin, localhost, self.playground.outer_origin)))

    def _receipt_secrets(self) -> list[str]:
        """Secrets that the business shares with the function."""
        given = {"TOKEN_SECRET": self.token_secret, **self.deployment.settings, **self._extra_settings}
        secret = given.get("RECEIPT_SECRET") or given["TOKEN_SECRET"]
        return [each.strip() for each in secret.split(",")]

    def signed_url(self, key: str, bucket: str = "") -> str:
        """
        Return a URL of the object, signed by the account, valid for 15 minutes.

        Args:
            bucket: the object's; an empty one is whichever has it.
        """
        store = store_of(self.stores, key, bucket)
        return presigned_url(store.outer_origin, store.bucket, FUNCTION_KEY, key)


def _after(origin: str, first_port: int) -> int:
    return (urlsplit(origin).port or 0) + 1 if first_port else 0
