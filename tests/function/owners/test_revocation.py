"""Revocations: WeChat's events about a user's authorisation are logged, delivered and forwarded."""

import json

import pytest

from function.auth import owner_of
from function.http.client import ExchangeFailed, HttpResponse
from local.wechat.events import as_xml
from tests.function.holding.wechat_world import APPID, FORWARD_URL, OPENID, SETTINGS, world_of
from tests.support.memory_oss import BROKEN
from tests.support.wechat import Wechat
from tests.support.world import WEBHOOK

REVOKE, CANCELLATION, MODIFIED = (
    f"user_{name}" for name in ("authorization_revoke", "authorization_cancellation", "info_modified")
)
HOOK = "shop.example.com"
RECEIPTS = """
[picture]
key = "pictures/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
"""


@pytest.fixture
def new_world(environment, clock, profiles_file, log_lines):
    def make(profiles=RECEIPTS, **changes):
        settings = {"UPLOAD_WEBHOOK_URL": WEBHOOK, "WECHAT_PUSH_FORWARD_URL": FORWARD_URL, **changes}
        return world_of(environment, clock, profiles_file, profiles, **settings)

    return make


@pytest.fixture
def world(new_world):
    return new_world()


def revocation(world, event=REVOKE, **changes):
    """The event as it comes; without what is ``...``."""
    fields = {
        "ToUserName": "gh_x",
        "FromUserName": "oPlatform",
        "CreateTime": int(world.now().timestamp()),
        "MsgType": "event",
        "Event": event,
        "OpenID": OPENID,
        "AppID": APPID,
        "RevokeInfo": "14",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def listen(world, *answers):
    """The business answers its webhook so, at last always the same; the headers of each delivery."""
    heard = []

    def hear(_method, _url, *, headers, **_):
        heard.append(headers)
        status = answers[min(len(heard), len(answers)) - 1]
        if status is None:
            raise ExchangeFailed("timed out")
        return HttpResponse(status, b"")

    world.others[HOOK] = hear
    return heard


def owner_in(world):
    return owner_of(OPENID, world.settings.owner_secret)


@pytest.mark.parametrize("event", [REVOKE, CANCELLATION])
def test_a_revocation_is_logged_delivered_and_forwarded(world, log_lines, event):
    query, body = world.wechat.push(revocation(world, event))
    reply = world.deliver(body, query=query)
    assert (reply.status, reply.text) == (200, "success")
    assert world.events == [
        {
            "event": "revoked",
            "sub": OPENID,
            "owner": owner_in(world),
            "name": event,
            "revokeInfo": "14",
            "at": f"{world.now().isoformat()[:19]}Z",
        }
    ]
    assert [sent for _, sent, _ in world.forwarded] == [body]
    line = log_lines()[-1]
    assert (line["event"], line["owner"], line["webhook"]) == (event, owner_in(world), "ok")
    assert OPENID not in json.dumps(log_lines())
    assert world.oss.objects == {}


def test_a_changed_name_or_avatar_is_logged_and_forwarded_alone(world, log_lines):
    assert world.push(revocation(world, MODIFIED, RevokeInfo=..., OpenID=...)).text == "success"
    assert (world.events, len(world.forwarded)) == ([], 1)
    assert log_lines()[-1]["event"] == MODIFIED


def test_xml_and_json_are_delivered_alike(world):
    event = revocation(world)
    heard = listen(world, 200)
    world.push(event)
    spaced = {name: f" {value} " if isinstance(value, str) else value for name, value in event.items()}
    world.push({f" {name}": value for name, value in spaced.items()})
    world.push(as_xml(spaced).replace(b"<OpenID>", b"< OpenID>").replace(b"</OpenID>", b"</ OpenID>"))
    assert len(heard) == 3
    assert len({headers["webhook-id"] for headers in heard}) == 1


def test_the_id_of_a_delivery_names_the_push_and_not_the_user(world):
    heard = listen(world, 200)
    at = int(world.now().timestamp())
    others = {"OpenID": f"{OPENID}2", "CreateTime": at + 1, "RevokeInfo": "15", "Event": CANCELLATION}
    for changes in ({}, *({name: value} for name, value in others.items())):
        world.push({**revocation(world), **changes})
    world.push({**revocation(world), "UnionID": "u", "FromUserName": "oAnother"})
    ids = [headers["webhook-id"] for headers in heard]
    assert ids[-1] == ids[0]
    assert len(set(ids)) == 5
    assert OPENID not in "".join(ids)


@pytest.mark.parametrize("openid", [..., "", " ", None, 5, {}, [OPENID], "o" * 256], ids=repr)
def test_an_event_without_a_user_is_delivered_as_such(world, openid):
    assert world.push(revocation(world, OpenID=openid)).text == "success"
    ((event),) = world.events
    assert (event["sub"], event["owner"]) == (None, None)


@pytest.mark.parametrize(
    ("info", "told"),
    [("14", "14"), (14, "14"), ("99", "99"), ("14,15", "14,15"), ([14, 15], "[14, 15]"), (..., None)],
)
def test_every_code_is_delivered_the_unknown_as_well(world, info, told):
    world.push(revocation(world, RevokeInfo=info))
    assert world.events[0]["revokeInfo"] == told


@pytest.mark.parametrize("created", [..., None, "", "x", 1.5, True, {}, 99999999999, "\ud800"], ids=ascii)
def test_an_unreadable_time_is_none(world, created):
    assert world.push(revocation(world, CreateTime=created)).text == "success"
    assert world.events[0]["at"] is None


def test_a_failed_delivery_is_due_and_repeated_with_the_same_id(world, clock, log_lines):
    heard = listen(world, 500, 200)
    assert world.push(revocation(world)).text == "success"
    assert log_lines()[-1]["webhook"] == "HTTP 500"
    clock.tick(minutes=1)
    world.tick()
    assert [headers["webhook-id"] for headers in heard] == [heard[0]["webhook-id"]] * 2
    assert world.due("webhook") == []


@pytest.mark.parametrize("profiles", [RECEIPTS, RECEIPTS.replace("confirm = true", "")])
def test_wechat_repeats_an_event_that_is_stored_nowhere(new_world, log_lines, profiles):
    """Where no profile gives receipts no tick reads due records."""
    world = new_world(profiles)
    listen(world, None, 200)
    world.oss.fail("PutObject", *[BROKEN] * 20)
    reply = world.push(revocation(world))
    assert (reply.status, reply.code) == (503, "oss_unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert (world.oss.objects, len(world.forwarded)) == ({}, 1)
    assert world.push(revocation(world)).text == "success"


def test_wechat_repeats_what_the_forwarder_did_not_take(world):
    heard = listen(world, 200)
    world.forwarder = ExchangeFailed("timed out")
    assert world.push(revocation(world)).code == "wechat_unavailable"
    world.forwarder = HttpResponse(200, b"")
    assert world.push(revocation(world)).status == 200
    assert heard[0]["webhook-id"] == heard[1]["webhook-id"]


def test_without_webhook_and_forwarder_it_is_logged(new_world, log_lines):
    world = new_world(UPLOAD_WEBHOOK_URL=None, WECHAT_PUSH_FORWARD_URL=None)
    assert world.push(revocation(world)).text == "success"
    assert (log_lines()[-1]["event"], log_lines()[-1]["owner"]) == (REVOKE, owner_in(world))


@pytest.mark.parametrize(
    ("token", "aes_key", "appid"),
    [
        ("AnotherToken", SETTINGS["WECHAT_PUSH_AES_KEY"], APPID),
        (SETTINGS["WECHAT_PUSH_TOKEN"], "B" * 43, APPID),
        (SETTINGS["WECHAT_PUSH_TOKEN"], SETTINGS["WECHAT_PUSH_AES_KEY"], "wxanother"),
    ],
)
@pytest.mark.parametrize(
    "write", [lambda body: body, lambda body: as_xml(json.loads(body))], ids=["json", "xml"]
)
def test_a_forged_revocation_reaches_no_one(world, token, aes_key, appid, write):
    query, body = Wechat(token, aes_key, appid).push(revocation(world))
    assert world.deliver(write(body), query=query).status == 403
    assert world.deliver(write(json.dumps(revocation(world))), query=query).status == 403
    assert (world.events, world.forwarded, world.oss.objects) == ([], [], {})
