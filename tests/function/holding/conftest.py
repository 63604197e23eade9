"""A phone whose uploads are held, its backend, WeChat, and the OSS and the business that they all know."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from function.http.client import HttpResponse
from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.memory_oss import MemoryOss, Part, Refused
from tests.support.stage import Reply
from tests.support.world import WEBHOOK, World

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
RECEIPT_SECRET = "receipt-SecretCanary-0123456789abcdef"
AES_KEY = "SecretCanary0123456789abcdefSecretCanary012"
COMMIT, CHECK, ALIYUN = 'hold = ["commit"]', 'hold = ["check"]', 'check_by = ["aliyun"]'
BOTH = 'hold = ["commit", "check"]'


def profile(name: str, *options: str, folder: str = "", end: str = "{id}", **more: Any) -> str:
    """Return the text of a profile whose uploads are confirmed; its folder has its name, or another."""
    text = profile_toml(name, folder, f"{{owner}}/{end}{{ext}}", max_size="30MiB", confirm=True, **more)
    return text + "".join(f"{option}\n" for option in options)


PROFILES = "".join(
    [
        profile("default", folder="uploads"),
        profile("note", COMMIT, 'commit_by = "owner"', folder="notes"),
        profile(
            "word", 'acl = "public-read"', 'storage_class = "IA"', COMMIT, "hold_days = 3", folder="words"
        ),
        profile("face", CHECK, "hold_days = 1", folder="faces"),
        profile("post", BOTH, "hold_days = 1", folder="posts"),
        profile("same", COMMIT, end="{sha256}"),
    ]
)
THERE = ('bucket = "abroad"', 'region = "cn-shanghai"', 'role = "acs:ram::1234567890123456:role/abroad"')
ABROAD = profile("deed", COMMIT, *THERE, folder="deeds")
ABROAD += profile("view", CHECK, "hold_days = 1", *THERE, folder="views")

FORBIDDEN = (403, "forbidden")
# Of an upload of one byte whose name is its digest.
SAME = {"sha256": "a" * 64, "size": 1}


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, answer.code


def names(house: World, stored: dict[str, Any]) -> list[str]:
    """Where the bytes of an upload are: ``held``, ``key``, both or nowhere."""
    places = {"held": f"held/{stored['key']}", "key": stored["key"]}
    return [name for name, key in places.items() if key in house.oss.objects]


def later(house: World, **time: float) -> World:
    """A world, so much later."""
    house.now.tick(**time)
    return house


def act_on(house: World, act: str, receipt: str) -> Reply:
    """Do one of ``commit``, ``publish``, ``reject``, ``discard`` and ``discard by the owner``."""
    if act.startswith("discard"):
        return house.discard(receipt, house.session() if act.endswith("owner") else None)
    return house.commit(receipt, **({} if act == "commit" else {"decision": act}))


def swap(house: World, stored: dict[str, Any]) -> None:
    """As a form can where the bucket keeps versions: something else, and after a second these bytes again."""
    held = f"held/{stored['key']}"
    own = house.oss.objects[held]
    house.oss.replace_object(held, parts=(Part("harmless", 1),))
    later(house, seconds=1).oss.replace_object(held, parts=own.parts)


def amend(oss: MemoryOss, name: str, **fields: Any) -> None:
    """Give a record these fields; without those that are ``...``."""
    kept = {**json.loads(oss.objects[name].body), **fields}
    body = json.dumps({field: value for field, value in kept.items() if value is not ...})
    oss.replace_object(name, body=body.encode())


def there(stored: dict[str, Any]) -> dict[str, Any]:
    """What is said of the published object, where it is the one that was sent."""
    return {name: stored[name] for name in ("etag", "size", "mimeType")}


def lose_events(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no event is delivered, or written down for a later attempt."""
    send, refused = house.oss.send, HttpResponse(503, b"")

    def refuse(method: str, url: str, **options: Any) -> HttpResponse:
        return refused if "/webhook-" in url else send(method, url, **options)

    monkeypatch.setattr(house.oss, "send", refuse)
    house.others["shop.example.com"] = lambda *_, **__: refused


def refuse_objects(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on OSS refuses to read any object but a record, as one that an image process cannot take."""
    get = house.oss._get_object

    def refusing(request: Any, *rest: Any) -> Any:
        if not request.key.startswith("held/."):
            raise Refused(400, "InvalidArgument")
        return get(request, *rest)

    monkeypatch.setattr(house.oss, "_get_object", refusing)


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss("my-bucket", "cn-hangzhou", clock)


@pytest.fixture
def house_of(environment: Any, oss: MemoryOss, profiles_file: Any, clock: Any) -> Callable[..., World]:
    """A world with an instance of its own, all of them before the same OSS."""

    def build(profiles: str = PROFILES, **changes: str | None) -> World:
        settings = {
            **environment,
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx0123456789abcdef",
            "WECHAT_SECRET": "WechatSecretCanary0001",
            "WECHAT_PUSH_TOKEN": "PushSecretCanary",
            "WECHAT_PUSH_AES_KEY": AES_KEY,
            "TOKEN_SECRET": TOKEN_SECRET,
            "RECEIPT_SECRET": RECEIPT_SECRET,
            "STS_SESSION_SECONDS": "7200",
            "UPLOAD_WEBHOOK_URL": WEBHOOK,
            "PROFILES_FILE": profiles_file(profiles),
            **changes,
        }
        environ = {name: value for name, value in settings.items() if value is not None}
        return World(environ, clock, oss=oss, check=check_answer)

    return build


@pytest.fixture
def house(house_of: Callable[..., World]) -> World:
    return house_of()


def upload_of(profile: str) -> Any:
    """A fixture: an upload of this profile, with its receipt; nobody has heard of it yet."""

    @pytest.fixture
    def stored(house: World) -> dict[str, Any]:
        return house.store(profile)

    return stored


word, note, post, face, plain = map(upload_of, ("word", "note", "post", "face", "default"))


@pytest.fixture
def two_buckets(house_of: Callable[..., World]) -> World:
    """A world whose profiles ``deed`` and ``view`` are in another bucket."""
    world = house_of(PROFILES + ABROAD)
    world.add_bucket("abroad", "cn-shanghai")
    return world
