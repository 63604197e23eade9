"""Two phones with objects of their own, a backend, and the OSS that they all know."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest

from function.auth import owner_of
from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.memory_oss import MemoryOss
from tests.support.world import OWNER, WEBHOOK, World

OWNER_SECRET = "owner-SecretCanary-0123456789abcdef"
MINE, THEIRS = (owner_of(subject, OWNER_SECRET) for subject in (OWNER, "openid-2"))
THEM = "openid-2"
ID = "AbCdEfGhIjKlMnOpQrSt_A"
OWN = {"confirm": True, "list": True, "delete": "owner"}
# Two templates of one folder that are told apart by one letter; [closed], whose keys [shared] makes,
# permits nothing.
PROFILES = (
    profile_toml("picture", "pictures", **OWN, read="owner", variants={"thumb": "image/resize,w_200"})
    + profile_toml("held", "posts", **OWN, hold=["commit"])
    + profile_toml("same", end="{owner}/{sha256}{ext}", **OWN)
    + profile_toml("tight", end="{owner}-{id}", **OWN)
    + profile_toml("tighta", "tight", "{owner}a-{id}", **OWN)
    + profile_toml("shared", **OWN)
    + profile_toml("closed", "shared", content_types=["image/png"], confirm=True)
    + profile_toml("receipt", "receipts", "{id}", confirm=True)
    + profile_toml("plain", end="{id}")
    + profile_toml("page", "pages", "{owner}/{filename}", content_types=None)
)
BAD, FORBIDDEN = (400, "bad_request"), (403, "forbidden")
SETTINGS = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "UPLOAD_WEBHOOK_URL": WEBHOOK}
SETTINGS |= {"TOKEN_SECRET": "token-secret-canary-0123456789abcdef", "OWNER_SECRET": OWNER_SECRET}
SETTINGS["RECEIPT_SECRET"] = "receipt-SecretCanary-0123456789abcdef"
SETTINGS["WECHAT_SECRET"] = "WechatSecretCanary0001"
HOOKS = "def before_sign(caller, wanted, profile):\n    return {'folder': 'shop-7'}\n"
ELSEWHERE = 'bucket = "other-bucket"\nregion = "cn-hangzhou"\n'


def one_more(name: str, lines: str = "", folder: str = "") -> str:
    """One more profile, as text."""
    key = f'key = "{folder or name}/{{owner}}/{{id}}"'
    return f'\n[{name}]\n{key}\nmax_size = 1\ncontent_types = ["image/*"]\n{lines}'


def number(count: int) -> str:
    """As the id of a key."""
    return f"{count:022}"


def store(oss: MemoryOss, *keys: str) -> None:
    for each in keys:
        oss.store(each, b"x" * 7, content_type="image/png")


def said(answer: Any) -> Any:
    assert answer.status == 200, answer.text
    return answer.json


def claims_of(token: str) -> Any:
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def key(profile: str, count: int = 0, owner: str = MINE) -> str:
    """What the template of a profile may have made."""
    folders = {"held": "posts", "closed": "shared", "receipt": "receipts", "page": "pages"}
    folder = folders.get(profile, profile) + "s" * (profile == "picture")
    match profile:
        case "tight":
            return f"tight/{owner}-{number(count)}"
        case "tighta":
            return f"tight/{owner}a-{number(count)}"
        case "receipt" | "plain":
            return f"{folder}/{number(count)}"
        case "same":
            return f"same/{owner}/{count:064}.png"
    return f"{folder}/{owner}/{number(count)}.png"


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss("my-bucket", "cn-hangzhou", clock)


@pytest.fixture
def house_of(environment: Any, oss: MemoryOss, profiles_file: Any, clock: Any) -> Callable[..., World]:
    def build(profiles: str = PROFILES, **changes: str | None) -> World:
        settings = {**environment, **SETTINGS, "PROFILES_FILE": profiles_file(profiles), **changes}
        environ = {name: value for name, value in settings.items() if value is not None}
        return World(environ, clock, oss=oss, check=check_answer)

    return build


@pytest.fixture
def house(house_of: Callable[..., World]) -> World:
    return house_of()
