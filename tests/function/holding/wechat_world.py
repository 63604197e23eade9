"""A world whose uploads WeChat checks, with what is known of its check and of its push."""

from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.wechat import CHECK
from tests.support.wechat import TOKEN as STABLE_TOKEN
from tests.support.world import World

TOKEN, AES_KEY = "PushTokenSecretCanary", "AesKeySecretCanary0123456789abcdefghijklmno"
APPID, OPENID = "wx0123456789abcdef", "oOpenIdCanary_0123456789-xyz"
FORWARD_URL = "https://business.example.com/wechat?key=forward-SecretCanary"
SETTINGS = {
    "CALLER_AUTH": "wechat",
    "STS_SESSION_SECONDS": "7200",
    "TOKEN_SECRET": "token-secret-canary-0123456789abcdef",
    "WECHAT_APPID": APPID,
    "WECHAT_SECRET": "wechat-SecretCanary",
    "WECHAT_PUSH_TOKEN": TOKEN,
    "WECHAT_PUSH_AES_KEY": AES_KEY,
}
PROFILES = profile_toml(
    "post",
    "posts",
    max_size="30MiB",
    content_types=["image/*", "audio/*"],
    confirm=True,
    hold=["check"],
    hold_days=1,
    check_scene=3,
) + profile_toml("plain", content_types=["image/png"])
ACCESS_TOKEN = "86_access-SecretCanary"
TRACE = "60f96f1d-3845297a-1976a3ae"


def world_of(environment, clock, profiles_file, profiles=PROFILES, **changes):
    """WeChat answers each check with the same trace id."""
    changed = {**environment, **SETTINGS, "PROFILES_FILE": profiles_file(profiles), **changes}
    world = World(
        {name: value for name, value in changed.items() if value is not None}, clock, check=check_answer
    )
    world.wechat.says = {
        STABLE_TOKEN: [{"access_token": ACCESS_TOKEN, "expires_in": 7200}],
        CHECK: [{"errcode": 0, "errmsg": "ok", "trace_id": TRACE}],
    }
    return world
