"""Checks from the call to the push: the file is really got, the verdict comes as asked."""

import base64
import json
from datetime import timedelta
from time import monotonic, sleep
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from local.wechat.check_plan import PlannedCheck
from local.wechat.rules import WechatRules
from local.wechat.sealing import signature_of
from local.wechat.server import WechatServer
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

APP_ID = b"wxba5fad812f8e6fb9"
KEY = bytes(32)


def opened(encrypt):
    """The message in an ``Encrypt``, and the AppID behind it."""
    decryptor = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).decryptor()
    plain = decryptor.update(base64.b64decode(encrypt)) + decryptor.finalize()
    plain = plain[: -plain[-1]]
    length = int.from_bytes(plain[16:20], "big")
    return plain[20 : 20 + length], plain[20 + length :]


def event_in(body):
    message, app_id = opened(json.loads(body)["Encrypt"])
    assert app_id == APP_ID
    return json.loads(message)


def query_of(path):
    return dict(parse_qsl(path.partition("?")[2]))


def test_the_file_is_got_without_referer_or_cookies(check, site):
    check()
    site.pushes(1)
    method, path, headers, _ = site.requests[0]
    names = {name.lower() for name, _ in headers}
    assert (method, path) == ("GET", "/held/sunset.png")
    assert not names & {"referer", "cookie", "authorization", "range"}


@pytest.mark.parametrize(
    ("name", "suggest", "label"),
    [("sunset", "pass", 100), ("risky-1", "risky", 20006), ("review-1", "review", 21000)],
)
def test_the_verdict_is_in_the_name(check, site, name, suggest, label):
    trace_id = check(name)["trace_id"]
    [(path, body)] = site.pushes(1)
    event = event_in(body)
    assert (event["trace_id"], event["appid"], event["Event"]) == (
        trace_id,
        APP_ID.decode(),
        "wxa_media_check",
    )
    assert (event["version"], event["errcode"], event["errmsg"]) == (2, 0, "ok")
    assert event["result"] == {"suggest": suggest, "label": label}
    assert event["detail"] == [
        {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
    ]
    assert event["FromUserName"] != "oUser"


def test_the_push_is_signed_over_its_sealed_text(check, site):
    check()
    [(path, body)] = site.pushes(1)
    query, sent = query_of(path), json.loads(body)
    assert path.startswith("/wechat-events?")
    assert set(sent) == {"ToUserName", "Encrypt"}
    assert query["encrypt_type"] == "aes"
    stamp = query["timestamp"], query["nonce"]
    assert query["msg_signature"] == signature_of("AAAAA", *stamp, sent["Encrypt"])
    assert query["signature"] == signature_of("AAAAA", *stamp)


def test_a_name_that_was_given_with_the_file_counts_before_the_key_s(pushing, check, site):
    pushing.checks.name_of = {f"{site.origin}/held/sunset.png": "risky-beach.png"}.get
    check()
    assert event_in(site.pushes(1)[0][1])["result"]["suggest"] == "risky"


def test_of_a_silent_name_nothing_is_ever_heard(pushing, check, site):
    check("silent-1")
    site.asked_for("/held/silent-1.png")
    trace_id = check()["trace_id"]
    assert [event_in(body)["trace_id"] for _, body in site.pushes(1)] == [trace_id]
    assert pushing.checks.delivery.waiting() == 0


@pytest.mark.parametrize("change", ["absent", "too large", "webp", "no picture"])
def test_what_cannot_be_looked_at_says_so(check, site, change):
    site.files["/held/sunset.png"] = {
        "absent": None,
        "too large": b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20),
        "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        "no picture": b"<html>",
    }[change]
    check()
    event = event_in(site.pushes(1)[0][1])
    assert (event["errcode"], event["detail"], "result" in event) == (-1008, [], False)
    assert event["errmsg"] == "下载错误,请检查媒体链接是否有效"


def test_ten_megabytes_are_not_too_many(check, site):
    site.files["/held/sunset.png"] = (b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20))[: 10 * 2**20]
    check()
    assert event_in(site.pushes(1)[0][1])["result"]["suggest"] == "pass"


@pytest.mark.parametrize(
    "url", ["http://example.com/a.png", "ftp://127.0.0.1/a.png", "a.png", "http://[", "http://127.0.0.1:1/a"]
)
def test_an_address_that_leads_nowhere_is_unreadable(check, site, url):
    check(media_url=url)
    assert event_in(site.pushes(1)[0][1])["errcode"] == -1008


def test_a_sound_is_no_picture(check, site):
    site.files["/held/sunset.png"] = b"ID3\x04sound"
    check()
    check(media_type=1)
    events = [event_in(body) for _, body in site.pushes(2)]
    assert sorted(event["errcode"] for event in events) == [-1008, 0]


@cases("planned", "expected")
def test_any_verdict_in_any_shape(pushing, check, site, planned, expected):
    pushing.checks.plan.add(PlannedCheck(**planned))
    check("review-1")
    event = event_in(site.pushes(1)[0][1])
    assert event.items() >= expected.items()
    assert ("errcode" in event) is ("shape" not in planned)
    assert ("result" in event) is ("result" in expected)


def test_a_pass_may_stand_over_a_detail_that_says_otherwise(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck("contradictory"))
    check()
    event = event_in(site.pushes(1)[0][1])
    assert (event["result"]["suggest"], event["detail"][0]["suggest"]) == ("pass", "risky")


def test_a_call_without_version_gets_the_old_shape(check, site):
    check(version=None, scene=None, openid=None)
    assert event_in(site.pushes(1)[0][1])["isrisky"] == 0


def test_a_pass_may_be_for_what_nobody_looked_at(pushing, check, site):
    """As reports have it of a bucket whose hot-link rules kept the checker out."""
    pushing.checks.plan.add(PlannedCheck("pass_unseen"))
    check("not-there")
    assert event_in(site.pushes(1)[0][1])["result"]["suggest"] == "pass"
    assert [method for method, *_ in site.requests] == ["POST"]


def test_a_push_may_come_before_the_answer(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(timing="early"))
    trace_id = check()["trace_id"]
    [(_, path, _, _), (_, _, _, body)] = site.requests
    assert (path, event_in(body)["trace_id"]) == ("/held/sunset.png", trace_id)


def test_a_late_push_comes_half_an_hour_later(pushing, check, site, clock):
    pushing.checks.plan.add(PlannedCheck(timing="late", times=1))
    late = check()["trace_id"]
    check()
    assert event_in(site.pushes(1)[0][1])["trace_id"] != late
    clock.tick(minutes=31)
    assert event_in(site.pushes(2)[1][1])["trace_id"] == late


def test_nobody_has_to_wait_for_what_is_late(pushing, check, call, site):
    pushing.checks.plan.add(PlannedCheck(delay=3600, times=1))
    late = check()["trace_id"]
    check()
    site.pushes(1)
    assert call("/-/check", method="GET")["waiting"] == 1
    assert call("/-/check/waiting", {}) == {"released": 1}
    assert event_in(site.pushes(2)[1][1])["trace_id"] == late


def test_a_push_may_come_twice(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(timing="twice"))
    check()
    first, second = site.pushes(2)
    assert event_in(first[1]) == event_in(second[1])
    assert query_of(first[0])["nonce"] != query_of(second[0])["nonce"]


def test_a_push_may_never_come(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(timing="never", times=1))
    check()
    trace_id = check()["trace_id"]
    assert [event_in(body)["trace_id"] for _, body in site.pushes(1)] == [trace_id]


def test_a_push_of_another_app_is_sealed_for_that(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(push="wrong_appid"))
    check()
    assert opened(json.loads(site.pushes(1)[0][1])["Encrypt"])[1] == b"wx0000000000other0"


def test_a_bad_signature_is_bad(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(push="bad_signature"))
    check()
    [(path, body)] = site.pushes(1)
    query = query_of(path)
    right = signature_of("AAAAA", query["timestamp"], query["nonce"], json.loads(body)["Encrypt"])
    assert query["msg_signature"] != right


def test_a_trace_id_may_be_one_that_nobody_was_given(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(push="unknown_trace"))
    trace_id = check()["trace_id"]
    assert event_in(site.pushes(1)[0][1])["trace_id"] != trace_id


def test_plain_mode_seals_nothing(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(push="plain"))
    trace_id = check()["trace_id"]
    [(path, body)] = site.pushes(1)
    assert json.loads(body)["trace_id"] == trace_id
    query = query_of(path)
    assert query["signature"] == signature_of("AAAAA", query["timestamp"], query["nonce"])
    assert not {"msg_signature", "encrypt_type"} & set(query)


def test_compatible_mode_says_it_both_ways(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(push="compatible"))
    trace_id = check()["trace_id"]
    [(path, body)] = site.pushes(1)
    assert json.loads(body)["trace_id"] == event_in(body)["trace_id"] == trace_id
    assert {"signature", "msg_signature"} <= set(query_of(path))


def test_xml_nests_as_the_json_does(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(format="xml"))
    trace_id = check()["trace_id"]
    outer = ElementTree.fromstring(site.pushes(1)[0][1])
    event = ElementTree.fromstring(opened(outer.findtext("Encrypt"))[0])
    assert event.findtext("trace_id") == trace_id
    assert (event.findtext("result/suggest"), event.findtext("detail/label")) == ("pass", "100")


@pytest.mark.parametrize("answer", [(500, b""), (503, b"success"), (200, b'{"ok":1}'), (200, b'"success"')])
def test_what_is_not_taken_comes_again_byte_for_byte(pushing, check, site, answer):
    site.answers = [answer, answer]
    check()
    first, second, third = site.pushes(3)
    assert first == second == third
    assert [pushed[2:] for pushed in _settled(pushing)] == [(3, True)]


def test_four_times_and_not_once_more(pushing, check, site):
    site.answers = [(500, b"")] * 6
    check()
    site.pushes(4)
    assert [pushed[2:] for pushed in _settled(pushing)] == [(4, False)]
    assert len(site.answers) == 2


def test_by_another_rule_it_does_not_come_again(pushing, check, site):
    pushing.checks.rules = WechatRules(push_repeats=0)
    site.answers = [(500, b"")]
    check()
    assert [pushed[2:] for pushed in _settled(pushing)] == [(1, False)]


def test_by_another_rule_it_comes_again_sealed_anew(pushing, check, site):
    pushing.checks.rules = WechatRules(push_repeats_alike=False)
    site.answers = [(500, b"")]
    check()
    first, second = site.pushes(2)
    assert event_in(first[1]) == event_in(second[1])
    assert first[1] != second[1]
    assert query_of(first[0])["nonce"] != query_of(second[0])["nonce"]


def test_by_another_rule_a_kind_that_no_page_lists_is_looked_at(pushing, check, site):
    pushing.checks.rules = WechatRules(check_takes_unlisted=True)
    site.files["/held/sunset.png"] = b"RIFF\x10\x00\x00\x00WEBPVP8 "
    check()
    assert event_in(site.pushes(1)[0][1])["result"]["suggest"] == "pass"


def test_a_verdict_takes_as_long_as_the_rules_have_it(clock):
    server = WechatServer("wx", "s", now=clock, rules=WechatRules(check_takes_up_to=timedelta(minutes=30)))
    server.stop()
    assert server.checks.delays == (0, 1800)


def test_an_empty_answer_will_do(pushing, check, site):
    site.answers = [(200, b"")]
    check()
    assert [pushed[2:] for pushed in _settled(pushing)] == [(1, True)]


def test_without_a_push_address_nothing_is_pushed(pushing, check, site):
    pushing.checks.push = None
    assert check()["errcode"] == 0
    assert not [method for method, *_ in site.requests if method == "POST"]


def _settled(pushing):
    """How the pushes went, once one has."""
    ends = monotonic() + 5
    while not pushing.checks.pushed and monotonic() < ends:
        sleep(0.01)
    return list(pushing.checks.pushed)
