"""What the local WeChat pushes: sealed as its page has it, at its time; revocations in both readings."""

import json
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from function.wechat.push import open_push
from local.wechat.delivery import Delivery
from local.wechat.rules import WechatRules
from local.wechat.sealing import seal, signature_of
from tests.local.wechat.conftest import APP_ID

REVOCATION = "/-/revocation"


def opened(wechat, site, count=1):
    """The latest event, as a receiver that can decrypt it reads it."""
    path, body = site.pushes(count)[-1]
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    push = wechat.checks.pushes[APP_ID]
    return open_push(query, body, token=push.token, aes_key=push.aes_key, appid=APP_ID)


@pytest.mark.parametrize(("has_blanks", "blank"), [(True, " "), (False, "")])
def test_a_revocation_names_user_app_and_kind_in_json_or_xml(has_blanks, blank, wechat, call, site):
    wechat.checks.rules = WechatRules(revocations_have_blanks=has_blanks)
    call(REVOCATION, {"openid": "o-1", "info": "14,15"})
    assert json.loads(opened(wechat, site)) == {
        "ToUserName": "gh_0local0wechat",
        "FromUserName": "oLocalPlatform0000000000000A",
        "CreateTime": 1795528800,
        "MsgType": "event",
        "Event": "user_authorization_revoke",
        f"{blank}OpenID": f"{blank}o-1",
        "AppID": f"{blank}{APP_ID}",
        "RevokeInfo": f"{blank}14,15",
    }
    call(REVOCATION, {"openid": "o-1", "format": "xml", "push": "plain"})
    event = ElementTree.fromstring(site.pushes(2)[1][1])
    told = [event.findtext(name) for name in ("Event", "OpenID", "RevokeInfo")]
    assert told == ["user_authorization_revoke", f"{blank}o-1", f"{blank}14"]


@pytest.mark.parametrize(("has_it", "union"), [(True, "union-o-1"), (False, None)])
def test_a_union_id_is_switched_and_an_event_may_lack_its_user_and_name_another_app(
    has_it, union, wechat, call, site
):
    wechat.checks.rules = WechatRules(revocations_have_unionid=has_it, revocations_have_blanks=False)
    call(REVOCATION, {"openid": "o-1"})
    assert json.loads(opened(wechat, site)).get("UnionID") == union
    call(REVOCATION, {"openid": "", "event": "user_info_modified", "info": "", "appid": "wx-other"})
    event = json.loads(opened(wechat, site, 2))
    assert (event["Event"], event["AppID"]) == ("user_info_modified", "wx-other")
    assert not {"OpenID", "RevokeInfo"} & set(event)


@pytest.mark.parametrize("wanted", [
    {}, {"openid": "o", "event": "user_login"}, {"openid": "o", "format": "yaml"},
    {"openid": "o", "info": 14}, {"openid": "o", "appid": None}, {"openid": "o", "times": 0},
    {"openid": "o", "times": 11}, {"openid": "o", "unionid": "u"}
])  # fmt: skip
def test_a_revocation_that_cannot_be_is_refused(wanted, call, site):
    assert call(REVOCATION, wanted)["error"]
    assert site.requests == []


def test_revocations_are_pushed_by_post_alone_as_often_as_planned_and_need_a_push(wechat, call, site):
    call(REVOCATION, {"openid": "o-1", "times": 3})
    assert len(set(site.pushes(3))) == 1
    assert "POST" in call(REVOCATION, method="GET")["error"]
    wechat.checks.pushes[APP_ID] = None
    assert "no message push" in call(REVOCATION, {"openid": "o-1"})["error"]


VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat_push.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["secure", "reply", "revoke"])
def test_a_message_of_the_page_is_sealed_byte_for_byte(name):
    vector, token = VECTORS[name], VECTORS["token"]
    message, random = vector["message"].encode(), vector["random"].encode()
    assert seal(message, VECTORS["appid"], VECTORS["aes_key"], random) == vector["encrypt"]
    signed = vector["timestamp"], vector["nonce"]
    assert signature_of(token, *signed, vector["encrypt"]) == vector["msg_signature"]
    assert vector.get("signature") in (None, signature_of(token, *signed))


@pytest.fixture
def delivery(clock):
    delivery = Delivery(clock)
    yield delivery
    delivery.stop()


@pytest.fixture
def done():
    """What was done so far, and a wait for so many."""
    done, changed = [], threading.Condition()

    def task(name):
        def do():
            with changed:
                done.append(name)
                changed.notify_all()

        return do

    def wait(count):
        with changed:
            assert changed.wait_for(lambda: len(done) >= count, timeout=60), done
        return done

    task.wait, task.done = wait, done
    return task


def test_each_is_done_at_its_time_or_when_released_and_none_after_the_end(delivery, done, clock):
    for name, hour in (("later", 17), ("late", 16), ("soon", 15)):
        delivery.put(clock.instant.replace(hour=hour), done(name))
    delivery.put(clock.instant, done("now"))
    assert done.wait(1) == ["now"]
    clock.tick(hours=1)
    assert done.wait(2) == ["now", "soon"]
    assert delivery.release() == 2
    assert sorted(done.wait(4)) == ["late", "later", "now", "soon"]
    assert (delivery.waiting(), delivery.release()) == (0, 0)
    delivery.put(clock.instant.replace(hour=18), done("never"))
    delivery.stop()
    clock.tick(hours=4)
    assert len(done.done) == 4
