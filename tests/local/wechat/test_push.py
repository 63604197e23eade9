"""What the local WeChat pushes: sealed as its page has it, at its time; revocations in both readings."""

import json
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from function.wechat.push import open_push
from local.wechat.delivery import MOST_AT_ONCE, Delivery
from local.wechat.rules import WechatRules
from local.wechat.sealing import seal, signature_of
from tests.local.wechat.conftest import APP_ID
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
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


@cases("wanted")
def test_a_revocation_that_cannot_be_is_refused(wanted, call, site):
    assert call(REVOCATION, wanted)["error"]
    assert site.requests == []


def test_revocations_are_pushed_by_post_alone_as_often_as_planned_and_need_a_push(wechat, call, site):
    call(REVOCATION, {"openid": "o-1", "times": 3})
    assert len(set(site.pushes(3))) == 1
    assert "POST" in call(REVOCATION, method="GET")["error"]
    wechat.checks.pushes[APP_ID] = None
    assert "no message push" in call(REVOCATION, {"openid": "o-1"})["error"]


VECTORS = Path(__file__).parents[2] / "vectors" / "wechat_push.json"
TOKEN, AES_KEY, PAGE_APP = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
MESSAGE = (
    b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)
SEALED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6Js"
    "XUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8Ea"
    "jAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


def test_message_and_reply_of_the_page_are_sealed_byte_for_byte():
    assert seal(MESSAGE, PAGE_APP, AES_KEY, b"a8eedb185eb2fecf") == SEALED
    assert seal(b'{"demo_resp":"good luck"}', PAGE_APP, AES_KEY, b"707722b803182950") == REPLY


def test_a_revocation_is_sealed_byte_for_byte():
    vector = json.loads(VECTORS.read_text("utf-8"))["revoke"]
    message, random = vector["message"].encode(), vector["random"].encode()
    assert seal(message, PAGE_APP, AES_KEY, random) == vector["encrypt"]
    signed = (vector["timestamp"], vector["nonce"])
    assert signature_of(TOKEN, *signed) == vector["signature"]
    assert signature_of(TOKEN, *signed, vector["encrypt"]) == vector["msg_signature"]


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


def test_a_forgotten_task_is_never_done(delivery, done, clock):
    delivery.put(clock.instant.replace(hour=15), done("forgotten"))
    delivery.put(clock.instant, lambda: (delivery.put(clock.instant, done("next")), done("first")()))
    assert done.wait(2) == ["first", "next"]
    delivery.forget()
    delivery.running.wait()
    clock.tick(hours=2)
    delivery.put(clock.instant, done("last"))
    assert done.wait(3)[2:] == ["last"]


def test_hundreds_that_are_due_at_once_are_all_done_and_some_at_a_time(delivery, done, clock):
    doing, most, lock = [], [], threading.Lock()

    def busy():
        with lock:
            doing.append(1)
            most.append(len(doing))
        time.sleep(0.001)
        done("busy")()
        with lock:
            doing.pop()

    for _ in range(500):
        delivery.put(clock.instant, busy)
    assert len(done.wait(500)) == 500
    assert max(most) <= MOST_AT_ONCE
