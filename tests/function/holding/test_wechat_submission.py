"""holding.wechat_check: submissions to WeChat; no response of it strands an upload."""

import json
import threading
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.errors import OssUnavailable, StsUnavailable, WechatUnavailable
from function.holding.held_upload import HeldUpload
from function.holding.wechat_submission import submit_to_wechat
from function.http.client import ExchangeFailed, HttpResponse
from function.moderation.finding import ANIMATED, ERRCODE, REMOVED, UNSUPPORTED, Finding
from function.moderation.wechat import AS_JPEG, CheckRequest
from function.oss.client import oss_client
from function.uploads.receipt import Receipt
from tests.function.holding.wechat_world import ACCESS_TOKEN, OPENID, PROFILES, TRACE, world_of
from tests.support.frames import ACTL, IDAT, IEND, chunk, frame, gif, png, riff, webp

KEY = "posts/owner/AAAAAAAAAAAAAAAAAAAAAA.jpg"


def put(world, body, content_type="image/jpeg"):
    named = {"content_type": content_type, "x_oss_meta_upload_id": "A" * 22}
    world.oss.store(f"held/{KEY}", body, **named)


@pytest.fixture
def world(environment, clock, profiles_file):
    world = world_of(environment, clock, profiles_file)
    put(world, b"\xff\xd8\xff and so on")
    return world


def upload_of(world, **changes):
    content = Receipt("A" * 22, KEY, 9, "E", "image/jpeg", "post", OPENID, "o", True, world.now())
    return HeldUpload(
        content._replace(app=world.settings.only.app, **changes),
        "the receipt",
        world.settings.profiles["post"],
    )


def submitted(world, call=None, **changes):
    call = call or world.call()
    return submit_to_wechat(call, oss_client(call, call.settings.home), upload_of(world, **changes))


def check_of(world):
    """What WeChat was told to look at, last."""
    name, query, fields, *_ = world.wechat.asked[-1]
    assert name == "media_check_async"
    assert query == {"access_token": ACCESS_TOKEN}
    return fields


def test_the_submission_is_as_documented(world):
    call = world.call()
    assert submitted(world, call) == TRACE
    # What it refreshed for its own calls to OSS stays logged.
    assert call.line.sts_refreshed is True
    fields = check_of(world)
    url = fields.pop("media_url")
    assert fields == {"media_type": 2, "version": 2, "scene": 3, "openid": OPENID}
    assert url.startswith(f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/held/{KEY}?")
    assert [name for name, *_ in world.wechat.asked] == ["stable_token", "media_check_async"]
    assert world.budgets[-2:] == [2.0, 3.0]


def test_the_url_admits_one_object_for_an_hour(world, clock):
    submitted(world)
    url = check_of(world)["media_url"]
    assert world.oss.lets_in(url)
    assert not world.oss.lets_in(url.replace(".jpg?", ".png?"))
    assert not world.oss.lets_in(f"{url}&x-oss-process=image%2Finfo")
    assert not world.oss.lets_in(url.split("?")[0])
    clock.tick(minutes=59)
    assert world.oss.lets_in(url)
    clock.tick(minutes=2)
    assert not world.oss.lets_in(url)


def test_nothing_is_submitted_without_credentials_of_an_hour(world):
    world.oss.give_sessions(world.function, timedelta(minutes=30))
    with pytest.raises(StsUnavailable):
        submitted(world)
    assert world.wechat.asked == []


def test_the_url_has_the_read_origin(environment, clock, profiles_file):
    inside = "https://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com"
    outside = "https://pictures.example.com"
    world = world_of(environment, clock, profiles_file, OSS_ENDPOINT=inside, READ_ORIGIN=outside)
    submitted(world)
    assert check_of(world)["media_url"].startswith(f"{outside}/held/")


def test_reserved_characters_in_the_query_are_escaped(world):
    """WeChat could not fetch what had ``:`` and ``=`` in its query."""
    submitted(world, mime_type="image/webp")
    query = urlsplit(check_of(world)["media_url"]).query
    assert not set(query) & set(":/+ ,")
    assert all(pair.count("=") == 1 for pair in query.split("&"))


def test_a_video_declared_as_audio_is_left_to_a_human(world):
    put(world, b"\0\0\0\x20ftypisom and so on", "audio/mpeg")
    assert submitted(world, mime_type="audio/mpeg") == Finding(UNSUPPORTED)
    assert world.wechat.asked == []


def test_an_upload_of_a_removed_caller_is_left_to_a_human(world, monkeypatch):
    for entry in (None, SimpleNamespace(kind_name="alipay")):
        call = world.call()
        monkeypatch.setattr(type(call.settings), "caller_of", lambda *_, entry=entry: entry)
        assert submitted(world, call) == Finding(REMOVED)
        assert call.line.reason
    assert world.wechat.asked == []


def test_a_compressed_picture_is_left_to_a_human(world):
    """A form does not pin Content-Encoding: what WeChat looks at need not be what others see."""
    world.oss.store(f"held/{KEY}", b"\xff\xd8\xff", content_type="image/jpeg", content_encoding="br")
    assert submitted(world) == Finding(UNSUPPORTED)
    assert world.wechat.asked == []


ANIMATED_PICTURES = {
    "gif": gif(frame(), frame()),
    "png": png(ACTL, IDAT, IEND),
    "webp": webp(riff(b"VP8X", b"\2" + bytes(9)), riff(b"ANIM", bytes(6))),
    "a long gif": gif(frame(2 * 65536), frame()),
    "a png with a long text": png(chunk(b"iTXt", bytes(400_000)), ACTL, IDAT, IEND),
}
MALFORMED = {"a gif without its end": gif(frame())[:-1], "a png without a picture": png(IEND)}


def submit_bytes(world, body, content_type="image/jpeg"):
    """The etag of a receipt is that of the bytes, as in a real one."""
    put(world, body, content_type)
    etag = world.oss.objects[f"held/{KEY}"].etag
    return submitted(world, size_bytes=len(body), etag=etag, mime_type=content_type)


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/gif", "image/webp", "image/heic"])
@pytest.mark.parametrize("body", ANIMATED_PICTURES.values(), ids=ANIMATED_PICTURES)
def test_an_animated_picture_is_left_to_a_human_whatever_its_type(world, body, content_type):
    """A checker sees one frame of it."""
    assert submit_bytes(world, body, content_type) == Finding(ANIMATED)
    assert world.wechat.asked == []


@pytest.fixture
def world_with(environment, clock, profiles_file):
    """A world with this ``check_animated``."""
    text = 'check_scene = 3\ncheck_animated = "{}"'
    return lambda mode: world_of(
        environment, clock, profiles_file, PROFILES.replace("check_scene = 3", text.format(mode))
    )


@pytest.mark.parametrize("body", ANIMATED_PICTURES.values(), ids=ANIMATED_PICTURES)
def test_the_first_frame_is_checked_where_that_is_enough(world_with, body):
    assert submit_bytes(world_with("first-frame"), body) == TRACE


@pytest.mark.parametrize("mode", ["review", "first-frame"])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_picture_is_left_to_a_human(world_with, body, mode):
    world = world_with(mode)
    assert submit_bytes(world, body) == Finding(UNSUPPORTED)
    assert world.wechat.asked == []


def test_a_picture_that_changes_while_it_is_read_is_not_submitted(world):
    """Ranges of two objects would be walked as one."""
    body = gif(frame(2 * 65536), frame())
    put(world, gif(frame(2 * 65536)))
    with pytest.raises(OssUnavailable):
        submitted(world, size_bytes=len(body), etag="0" * 32)
    assert world.wechat.asked == []


@pytest.mark.parametrize("changes", [{"mime_type": "audio/mp4"}, {"size_bytes": 21 * 1024 * 1024}])
def test_types_and_sizes_that_wechat_cannot_check_are_not_submitted(world, changes):
    call = world.call()
    assert submitted(world, call, **changes) == Finding(UNSUPPORTED)
    assert call.line.reason == "media_check_async: unsupported; a human must decide"
    assert world.wechat.asked == []


API_SECURITY = (40234, 40235)


@pytest.mark.parametrize("errcode", [61010, 40003, 43104, 87020, 45009, 12345, "61010", *API_SECURITY])
def test_a_permanent_refusal_is_left_to_a_human(world, errcode):
    world.wechat.says["media_check_async"] = [{"errcode": errcode, "errmsg": "errmsg-canary"}]
    call = world.call()
    assert submitted(world, call) == Finding(ERRCODE, "wechat", errcode=int(errcode))
    plain, needs_cause = f"media_check_async errcode {errcode}; a human must decide", errcode in API_SECURITY
    assert (call.line.reason == plain, "API 安全" in call.line.reason) == (not needs_cause, needs_cause)
    assert len(world.wechat.asked) == 2


@pytest.mark.parametrize(("errcode", "wait"), [(-1, 2), (44991, 60), (45011, 60)])
def test_a_temporary_refusal_is_retried_by_the_next_request(world, errcode, wait):
    world.wechat.says["media_check_async"] = [{"errcode": errcode}, {"trace_id": TRACE}]
    with pytest.raises(WechatUnavailable) as later:
        submitted(world)
    assert later.value.reason == f"media_check_async: errcode {errcode}"
    assert (later.value.retry_after, later.value.upstream) == (wait, str(errcode))
    assert submitted(world) == TRACE


@pytest.mark.parametrize("errcode", [40001, 42001, 41001])
def test_a_rejected_token_is_fetched_once_more(world, errcode):
    world.wechat.says["stable_token"].append({"access_token": "the-next-one", "expires_in": 7200})
    world.wechat.says["media_check_async"] = [{"errcode": errcode}, {"trace_id": TRACE}]
    assert submitted(world) == TRACE
    names = [(name, (query or {}).get("access_token")) for name, query, *_ in world.wechat.asked]
    assert names == [
        ("stable_token", None),
        ("media_check_async", ACCESS_TOKEN),
        ("stable_token", None),
        ("media_check_async", "the-next-one"),
    ]
    assert all("force_refresh" not in fields for _, _, fields, *_ in world.wechat.asked)
    submitted(world)
    assert len(world.wechat.asked) == 5


def test_no_secret_token_or_openid_is_logged(world, caplog):
    call = world.call()
    for told in ({"errcode": 61010}, {"trace_id": TRACE}):
        world.wechat.says["media_check_async"] = [told]
        submitted(world, call)
    world.wechat.says["media_check_async"] = [{"errcode": -1, "errmsg": OPENID}]
    with pytest.raises(WechatUnavailable) as later:
        submitted(world, call)
    raised = f"{later.value.reason}{later.value.message}"
    shown = f"{caplog.text}{raised}{json.dumps(vars(call.line))}"
    assert repr(CheckRequest("https://oss/x", 2, 1, OPENID)) == "CheckRequest(2, 1)"
    shown += repr(CheckRequest("https://oss/x?x-oss-signature=s", 2, 1, OPENID))
    for secret in (OPENID, ACCESS_TOKEN, "SecretCanary", "CAISobjects", "x-oss-signature"):
        assert secret not in shown


UNHEARD = [
    ExchangeFailed("timed out"),
    HttpResponse(502, b"<html>"),
    {},
    {"errcode": 0, "trace_id": 5},
    {"errcode": 0, "trace_id": "../x"},
    {"errcode": True, "trace_id": TRACE},
]


@pytest.mark.parametrize("answer", UNHEARD, ids=lambda answer: str(answer)[:50])
def test_a_failed_submission_is_retried_by_the_next_request_only(world, answer):
    world.wechat.says["media_check_async"] = [answer, {"trace_id": TRACE}]
    with pytest.raises(WechatUnavailable) as later:
        submitted(world)
    assert later.value.reason.startswith("media_check_async: ")
    assert len(world.wechat.asked) == 2
    assert submitted(world) == TRACE


def test_a_token_is_fetched_at_most_twice(world):
    world.wechat.says["media_check_async"] = [{"errcode": 40001}]
    with pytest.raises(WechatUnavailable) as later:
        submitted(world)
    assert later.value.upstream == "40001"
    assert len(world.wechat.asked) == 4
    with pytest.raises(WechatUnavailable):
        submitted(world)
    assert [name for name, *_ in world.wechat.asked[4:]] == ["stable_token", "media_check_async"] * 2


def test_the_check_url_uses_credentials_that_outlive_it(world, clock):
    """A cached set that covers the calls of this request, but not the hour, is not used."""
    oss_client(world.call(), world.settings.home)
    clock.tick(minutes=65)
    later = world.call()
    assert submitted(world, later) == TRACE
    assert later.line.sts_refreshed is True
    clock.tick(minutes=55)
    assert world.oss.lets_in(check_of(world)["media_url"])


def test_a_token_that_another_request_fetches_is_waited_for_until_the_deadline(world):
    failures = []

    def wait(other):
        world.oss.between["GetObject"] = lambda: setattr(other, "_ends", 0.0)
        try:
            submitted(world, other)
        except WechatUnavailable as error:
            failures.append(error.reason)

    def fetch():
        thread = threading.Thread(target=wait, args=(world.call(),))
        thread.start()
        thread.join(9)
        assert len(failures) == 1
        return {"access_token": ACCESS_TOKEN, "expires_in": 7200}

    world.wechat.says["stable_token"] = [fetch]
    assert submitted(world) == TRACE


@pytest.mark.parametrize(
    ("changes", "process"),
    [
        ({"mime_type": "image/png"}, None),
        ({"mime_type": "image/webp"}, AS_JPEG),
        ({"mime_type": "image/heic"}, AS_JPEG),
        ({"size_bytes": 11 * 1024 * 1024}, AS_JPEG),
    ],
)
def test_pictures_that_wechat_does_not_accept_are_converted(world, changes, process):
    submitted(world, **changes)
    fields = check_of(world)
    query = dict(parse_qsl(urlsplit(fields["media_url"]).query))
    assert query.get("x-oss-process") == process
    assert fields["media_type"] == 2
    assert world.oss.lets_in(fields["media_url"])
