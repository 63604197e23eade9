"""What WeChat pushes when a user takes an authorisation back, in both readings of what is not certain."""

import json
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from function.wechat.push import open_push
from local.wechat.rules import WechatRules
from tests.local.wechat.conftest import APP_ID
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

REVOCATION = "/-/revocation"
PLAIN = {"revocations_have_blanks": False}


def opened(wechat, site, count=1):
    """The latest event, as a receiver that can decrypt it reads it."""
    path, body = site.pushes(count)[-1]
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    push = wechat.checks.pushes[APP_ID]
    return open_push(query, body, token=push.token, aes_key=push.aes_key, appid=APP_ID)


@pytest.mark.parametrize(("has_blanks", "blank"), [(True, " "), (False, "")])
def test_a_revocation_names_user_app_and_kind(has_blanks, blank, wechat, call, site):
    wechat.checks.rules = WechatRules(revocations_have_blanks=has_blanks)
    call(REVOCATION, {"openid": "o-1", "info": "14,15"})
    event = json.loads(opened(wechat, site))
    assert event == {
        "ToUserName": "gh_0local0wechat",
        "FromUserName": "oLocalPlatform0000000000000A",
        "CreateTime": 1795528800,
        "MsgType": "event",
        "Event": "user_authorization_revoke",
        f"{blank}OpenID": f"{blank}o-1",
        "AppID": f"{blank}{APP_ID}",
        "RevokeInfo": f"{blank}14,15",
    }


@pytest.mark.parametrize(("has_blanks", "blank"), [(True, " "), (False, "")])
def test_a_revocation_comes_as_xml(has_blanks, blank, wechat, call, site):
    wechat.checks.rules = WechatRules(revocations_have_blanks=has_blanks)
    call(REVOCATION, {"openid": "o-1", "format": "xml", "push": "plain"})
    event = ElementTree.fromstring(site.pushes(1)[0][1])
    assert [event.findtext(name) for name in ("Event", "OpenID", "RevokeInfo")] == [
        "user_authorization_revoke",
        f"{blank}o-1",
        f"{blank}14",
    ]


@pytest.mark.parametrize(("has_it", "union"), [(True, "union-o-1"), (False, None)])
def test_a_union_id_is_switched(has_it, union, wechat, call, site):
    wechat.checks.rules = WechatRules(revocations_have_unionid=has_it, **PLAIN)
    call(REVOCATION, {"openid": "o-1"})
    assert json.loads(opened(wechat, site)).get("UnionID") == union


def test_an_event_may_lack_its_user_and_name_another_app(wechat, call, site):
    wechat.checks.rules = WechatRules(**PLAIN)
    call(REVOCATION, {"openid": "", "event": "user_info_modified", "info": "", "appid": "wx-other"})
    event = json.loads(opened(wechat, site))
    assert (event["Event"], event["AppID"]) == ("user_info_modified", "wx-other")
    assert not {"OpenID", "RevokeInfo"} & set(event)


def test_the_same_message_may_come_three_times(wechat, call, site):
    call(REVOCATION, {"openid": "o-1", "times": 3})
    assert len(set(site.pushes(3))) == 1


@cases("wanted")
def test_a_revocation_that_cannot_be_is_refused(wanted, call, site):
    assert call(REVOCATION, wanted)["error"]
    assert site.requests == []


def test_revocations_are_pushed_by_post_alone_and_need_a_push(wechat, call):
    assert "POST" in call(REVOCATION, method="GET")["error"]
    wechat.checks.pushes[APP_ID] = None
    assert "no message push" in call(REVOCATION, {"openid": "o-1"})["error"]
