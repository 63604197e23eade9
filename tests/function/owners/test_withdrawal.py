"""Revocations: WeChat's events about a user's authorisation are logged, delivered and forwarded."""

import json
from datetime import timedelta

import pytest

from function.auth import owner_of
from function.http.client import ExchangeFailed, HttpResponse
from local.wechat.events import as_xml
from tests.function.holding.wechat_world import APPID, FORWARD_URL, OPENID, SETTINGS, world_of
from tests.support.cases import profile_toml
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD
from tests.support.wechat import Wechat
from tests.support.world import WEBHOOK

REVOKE, CANCELLATION, MODIFIED = (
    f"user_{name}" for name in ("authorization_revoke", "authorization_cancellation", "info_modified")
)
BOTH = f"{REVOKE},{CANCELLATION}"
ERASING = {"ERASE": "true", "ERASE_ON": BOTH, "STS_SESSION_SECONDS": "3600"}
HOOK = "shop.example.com"
RECEIPTS = profile_toml("picture", "pictures", content_types=["image/png"], confirm=True)


@pytest.fixture
def new_world(environment, clock, profiles_file, log_lines):
    def make(profiles=RECEIPTS, **changes):
        settings = {"UPLOAD_WEBHOOK_URL": WEBHOOK, "WECHAT_PUSH_FORWARD_URL": FORWARD_URL, **changes}
        return world_of(environment, clock, profiles_file, profiles, **settings)

    return make


@pytest.fixture
def world(new_world):
    return new_world()


@pytest.fixture
def erasing(new_world):
    return new_world(**ERASING)


def revocation(world, event=REVOKE, **changes):
    """The event as it comes; without what is ``...``."""
    fields = {"ToUserName": "gh_x", "FromUserName": "oPlatform", "MsgType": "event", "Event": event}
    fields |= {"CreateTime": int(world.now().timestamp()), "OpenID": OPENID, "AppID": APPID}
    fields["RevokeInfo"] = "14"
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


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
    told = {"event": "revoked", "sub": OPENID, "owner": owner_in(world), "name": event}
    assert world.events == [{**told, "revokeInfo": "14", "at": f"{world.now().isoformat()[:19]}Z"}]
    assert [sent for _, sent, _ in world.forwarded] == [body]
    line = log_lines()[-1]
    assert (line["event"], line["owner"], line["webhook"]) == (event, owner_in(world), "ok")
    assert OPENID not in json.dumps(log_lines())
    assert world.oss.objects == {}


def test_a_changed_name_or_avatar_is_logged_and_forwarded_alone(world, new_world, log_lines):
    assert world.push(revocation(world, MODIFIED, RevokeInfo=..., OpenID=...)).text == "success"
    assert (world.events, len(world.forwarded)) == ([], 1)
    assert log_lines()[-1]["event"] == MODIFIED
    alone = new_world(WECHAT_PUSH_FORWARD_URL="")
    assert alone.push(revocation(alone, MODIFIED)).text == "success"
    assert log_lines()[-1].items() >= {"event": MODIFIED}.items() and "reason" not in log_lines()[-1]


def test_the_id_of_a_delivery_names_the_push_and_not_the_user(world):
    heard = listen(world, 200)
    at = int(world.now().timestamp())
    others = {"OpenID": f"{OPENID}2", "CreateTime": at + 1, "RevokeInfo": "15", "Event": CANCELLATION}
    for changes in ({}, *({name: value} for name, value in others.items())):
        world.push({**revocation(world), **changes})
    world.push({**revocation(world), "UnionID": "u", "FromUserName": "oAnother"})
    ids = [headers["webhook-id"] for headers in heard]
    # Another release gives a push that WeChat repeats the same id.
    assert ids[0] == "revoked-a54bb39a305f6ecd1899c137baf2e67c514412438773e05f932425c6b682424d" == ids[-1]
    assert len(set(ids)) == 5
    assert OPENID not in "".join(ids)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *(
            ({"OpenID": odd}, {"sub": None, "owner": None})
            for odd in (..., "", " ", None, 5, {}, [OPENID], "o" * 256)
        ),
        # Every code, the unknown as well.
        *(({"RevokeInfo": info}, {"revokeInfo": str(info)}) for info in ("14", 14, "99", "14,15", [14, 15])),
        ({"RevokeInfo": ...}, {"revokeInfo": None}),
        *(
            ({"CreateTime": odd}, {"at": None})
            for odd in (..., None, "", "x", 1.5, True, {}, 99999999999, "\ud800")
        ),
    ],
    ids=ascii,
)
def test_a_part_that_an_event_lacks_or_has_oddly_is_delivered_as_it_is(world, changes, told):
    assert world.push(revocation(world, **changes)).text == "success"
    assert world.events[0].items() >= told.items() and len(world.events) == 1


def test_a_failed_delivery_is_due_and_repeated_with_the_same_id(world, clock, log_lines):
    heard = listen(world, 500, 200)
    created = clock() - timedelta(minutes=5)
    assert world.push(revocation(world, CreateTime=int(created.timestamp()))).text == "success"
    assert log_lines()[-1]["webhook"] == "HTTP 500"
    minute = f"{created + timedelta(minutes=1):%Y%m%d%H%M}"
    assert world.due("webhook")[0].startswith(f"{minute}/webhook-{owner_in(world)}-")
    clock.tick(minutes=1)
    world.tick()
    assert [headers["webhook-id"] for headers in heard] == [heard[0]["webhook-id"]] * 2
    assert world.due("webhook") == []


def test_a_failed_delivery_without_a_user_is_due_under_no_owner(world):
    listen(world, 500)
    world.push(revocation(world, OpenID=""))
    assert "/webhook--revoked-" in world.due("webhook")[0]


def test_a_bucket_that_ticks_list_remembers_a_delivery(new_world, clock):
    there = RECEIPTS.replace("picture", "there") + 'bucket = "their-bucket"\nregion = "cn-hangzhou"\n'
    world = new_world(RECEIPTS.replace("confirm = true", "") + there)
    other = world.add_bucket("their-bucket", "cn-hangzhou")
    heard = listen(world, 500, 200)
    assert world.push(revocation(world)).text == "success"
    assert world.oss.objects == {} != other.objects
    clock.tick(minutes=1)
    world.tick()
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("profiles", "faults", "changes"),
    [(RECEIPTS, 20, {}), (RECEIPTS, 20, ERASING), (RECEIPTS.replace("confirm = true", ""), 0, {})],
)
def test_wechat_repeats_an_event_that_is_stored_nowhere(new_world, log_lines, profiles, faults, changes):
    """Where no profile gives receipts no tick reads due records."""
    world = new_world(profiles, **changes)
    listen(world, None, 200)
    world.oss.fail("PutObject", *[BROKEN] * faults)
    reply = world.push(revocation(world))
    assert (reply.status, reply.code) == (503, "oss_unavailable")
    # An erasure that did not begin is said first.
    assert ("PutObject" in log_lines()[-1]["reason"]) is bool(changes)
    assert int(reply.headers["Retry-After"]) > 0
    assert (world.oss.objects, len(world.forwarded)) == ({}, 1)
    world.oss.faults.clear()
    assert world.push(revocation(world)).text == "success"


def test_wechat_repeats_what_the_forwarder_did_not_take(world):
    heard = listen(world, 200)
    world.forwarder = ExchangeFailed("timed out")
    assert world.push(revocation(world)).code == "wechat_unavailable"
    world.forwarder = HttpResponse(200, b"")
    assert world.push(revocation(world)).status == 200
    assert heard[0]["webhook-id"] == heard[1]["webhook-id"]


TOKEN, AES_KEY = SETTINGS["WECHAT_PUSH_TOKEN"], SETTINGS["WECHAT_PUSH_AES_KEY"]


@pytest.mark.parametrize(
    ("token", "aes_key", "appid"),
    [("AnotherToken", AES_KEY, APPID), (TOKEN, "B" * 43, APPID), (TOKEN, AES_KEY, "wxanother")],
)
@pytest.mark.parametrize(
    "write", [lambda body: body, lambda body: as_xml(json.loads(body))], ids=["json", "xml"]
)
def test_a_forged_revocation_reaches_no_one(erasing, token, aes_key, appid, write):
    query, body = Wechat(token, aes_key, appid).push(revocation(erasing))
    plain = write(json.dumps(revocation(erasing)))
    for said, signed in ((write(body), query), (plain, query), (plain, erasing.wechat.query("x"))):
        assert erasing.deliver(said, query=signed).status == 403
    assert (erasing.events, erasing.forwarded, erasing.oss.objects) == ([], [], {})


# --- with ERASE_ON ---


def store_picture(world):
    key = f"pictures/{owner_in(world)}/{'A' * 22}.png"
    world.oss.store(key, b"x", content_type="image/png")
    return key


def begun(world):
    """The ids of the erasures that were begun."""
    names = [key.split("/")[3] for key in world.oss.objects if key.startswith("held/.erasures/running/")]
    return [name[27:] for name in names]


def is_left_alone(world):
    return not begun(world) and not world.due("erase") and "erasure" not in world.events[-1]


def tick_until_done(world, clock):
    for _ in range(6):
        clock.tick(minutes=30)
        world.tick()
    assert (begun(world), world.due("erase")) == ([], [])


@pytest.mark.parametrize(("event", "info"), [(REVOKE, "14"), (CANCELLATION, ...), (CANCELLATION, "99")])
def test_an_event_that_erase_on_names_begins_an_erasure(erasing, clock, event, info):
    mine, other = store_picture(erasing), f"pictures/{'z' * 26}/x.png"
    erasing.oss.store(other, b"x", content_type="image/png")
    assert erasing.push(revocation(erasing, event, RevokeInfo=info)).text == "success"
    assert begun(erasing) == [erasing.events[0]["erasure"]]
    assert len(erasing.forwarded) == 1
    tick_until_done(erasing, clock)
    assert mine not in erasing.oss.objects and other in erasing.oss.objects
    assert not any(OPENID in key for key in erasing.oss.objects)


@pytest.mark.parametrize(
    "info", ["5", "7", "14", "15", "20", "207", "301", 14, " 14 ", "1,14", "1|15", [2, 7]]
)
def test_a_code_about_uploads_erases(erasing, info):
    erasing.push(revocation(erasing, RevokeInfo=info))
    assert begun(erasing) == [erasing.events[0]["erasure"]]


OTHER_CODES = "1 6 8 16 19 99 201 206 114 1415 x".split() + ["", ..., None, {}, True, "1, 2"]


@pytest.mark.parametrize(
    "changes",
    [
        *({"RevokeInfo": code} for code in OTHER_CODES),
        *({"AppID": other} for other in ("wxanother", APPID.upper(), "", ..., None, [APPID])),
        *({"OpenID": other} for other in ("", ..., None, 5, "o" * 256)),
        *({"CreateTime": other} for other in ("", ..., None, "x", {})),
    ],
    ids=str,
)
def test_an_event_of_another_code_or_not_whole_is_delivered_and_erases_nothing(erasing, log_lines, changes):
    assert erasing.push(revocation(erasing, **changes)).text == "success"
    assert is_left_alone(erasing)
    assert "OpenID" in changes or log_lines()[-1]["reason"].startswith("not erased")


@pytest.mark.parametrize(("seconds", "erases"), [(-3601, 0), (-3600, 1), (3600, 1), (3601, 0)])
def test_an_event_of_another_hour_is_delivered_and_erases_nothing(erasing, seconds, erases):
    created = int(erasing.now().timestamp()) + seconds
    assert erasing.push(revocation(erasing, CreateTime=created)).text == "success"
    assert (len(begun(erasing)), len(erasing.events)) == (erases, 1)


@pytest.mark.parametrize(
    ("named", "event"), [(REVOKE, CANCELLATION), (CANCELLATION, REVOKE), (BOTH, MODIFIED), ("", REVOKE)]
)
def test_an_event_that_erase_on_does_not_name_erases_nothing(new_world, named, event):
    world = new_world(ERASE="true", ERASE_ON=named, STS_SESSION_SECONDS="3600")
    store_picture(world)
    assert world.push(revocation(world, event)).text == "success"
    assert not begun(world) and not world.due("erase")


def test_a_push_begins_one_erasure_however_often_it_comes(erasing, clock):
    """Also when it is replayed once the user is back: a clock that is ahead leaves time for that."""
    event = revocation(erasing, CreateTime=int(erasing.now().timestamp()) + 3600)
    for _ in range(3):
        assert erasing.push(event).text == "success"
    assert len({told["erasure"] for told in erasing.events}) == len(begun(erasing)) == 1
    for _ in range(4):
        clock.tick(minutes=20)
        erasing.tick()
    assert begun(erasing) == []
    again = store_picture(erasing)
    assert erasing.push(event).text == "success"
    clock.tick(minutes=5)
    erasing.tick()
    assert again in erasing.oss.objects
    erasing.push(revocation(erasing))
    assert begun(erasing) == [erasing.events[-1]["erasure"]] != [erasing.events[0]["erasure"]]


@pytest.mark.parametrize("call", range(1, 6))
def test_two_pushes_at_once_begin_one_erasure(new_world, clock, call):
    world = new_world(**ERASING)
    world.functions.append(world.new_instance())
    mine, event = store_picture(world), revocation(world)
    query, body = world.wechat.push(event)
    calls = []

    def overtake():
        calls.append(1)
        if len(calls) == call:
            assert world.deliver(body, query=query, instance=1).text == "success"

    world.before_exchange = overtake
    assert world.deliver(body, query=query).text == "success"
    world.before_exchange = lambda: None
    assert len(world.events) == 2
    assert {told["erasure"] for told in world.events} == {*begun(world)}
    tick_until_done(world, clock)
    assert mine not in world.oss.objects


@pytest.mark.parametrize("fault", [BROKEN, UNHEARD, LOST, BROKEN_AFTER, DENIED])
@pytest.mark.parametrize("call", range(1, 7))
def test_a_push_that_oss_fails_is_repeated_and_loses_nothing(erasing, clock, call, fault):
    mine, event = store_picture(erasing), revocation(erasing)
    calls = []

    def fail():
        calls.append(1)
        if len(calls) >= call:
            erasing.oss.fault_of_the_next(fault)

    erasing.before_exchange = fail
    status = erasing.push(event).status
    erasing.before_exchange, erasing.oss.next_fault = lambda: None, None
    erasing.oss.faults.clear()
    if status != 200:
        assert status == 503
        assert (len(erasing.events), len(erasing.forwarded)) == (1, 1)
        assert erasing.push(event).text == "success"
    assert erasing.events[-1]["erasure"]
    tick_until_done(erasing, clock)
    assert mine not in erasing.oss.objects


def test_where_nothing_gives_receipts_the_first_bucket_remembers(new_world, clock):
    world = new_world(RECEIPTS.replace("confirm = true", ""), **ERASING)
    mine = store_picture(world)
    heard = listen(world, 500, 200)
    assert world.push(revocation(world)).text == "success"
    tick_until_done(world, clock)
    assert len(heard) == 2
    assert mine not in world.oss.objects


def test_without_webhook_and_forwarder_it_is_logged(new_world, log_lines):
    world = new_world(UPLOAD_WEBHOOK_URL=None, WECHAT_PUSH_FORWARD_URL=None)
    assert world.push(revocation(world)).text == "success"
    assert (log_lines()[-1]["event"], log_lines()[-1]["owner"]) == (REVOKE, owner_in(world))
