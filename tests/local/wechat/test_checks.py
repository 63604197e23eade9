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


@pytest.fixture
def planned(pushing, check, site):
    """Make a check after this plan: its trace id, and what is pushed."""

    def make(name="sunset", pushes=1, **plan):
        pushing.checks.plan.add(PlannedCheck(**plan))
        trace_id = check(name)["trace_id"]
        return trace_id, site.pushes(pushes)

    return make


@pytest.fixture
def event(check, site):
    """Make a check, and read the event of its one push."""
    return lambda *name, **changes: check(*name, **changes) and event_in(site.pushes(1)[0][1])


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


def test_a_name_that_was_given_with_the_file_counts_before_the_key_s(pushing, event, site):
    pushing.checks.name_of = {f"{site.origin}/held/sunset.png": "risky-beach.png"}.get
    assert event()["result"]["suggest"] == "risky"


def test_a_file_named_silent_gets_no_push(pushing, check, site):
    check("silent-1")
    site.asked_for("/held/silent-1.png")
    trace_id = check()["trace_id"]
    assert [event_in(body)["trace_id"] for _, body in site.pushes(1)] == [trace_id]
    assert pushing.checks.delivery.waiting() == 0


NOWHERE = ["http://example.com/a.png", "ftp://127.0.0.1/a.png", "a.png", "http://[", "http://127.0.0.1:1/a"]
UNREADABLE = {
    "absent": None,
    "too large": b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20),
    "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "no picture": b"<html>",
}


@pytest.mark.parametrize("url", NOWHERE)
def test_an_address_that_leads_nowhere_is_unreadable(event, url):
    assert event(media_url=url)["errcode"] == -1008


@pytest.mark.parametrize("file", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_has_its_errcode(event, site, file):
    site.files["/held/sunset.png"] = file
    found = event()
    assert (found["errcode"], found["detail"], "result" in found) == (-1008, [], False)
    assert found["errmsg"] == "下载错误,请检查媒体链接是否有效"


def test_ten_megabytes_are_not_too_many(event, site):
    site.files["/held/sunset.png"] = UNREADABLE["too large"][: 10 * 2**20]
    assert event()["result"]["suggest"] == "pass"


def test_a_sound_is_no_picture(check, site):
    site.files["/held/sunset.png"] = b"ID3\x04sound"
    check()
    check(media_type=1)
    events = [event_in(body) for _, body in site.pushes(2)]
    assert sorted(event["errcode"] for event in events) == [-1008, 0]


@cases("plan", "expected")
def test_any_verdict_in_any_shape(planned, plan, expected):
    _, [(_, body)] = planned("review-1", **plan)
    event = event_in(body)
    assert event.items() >= expected.items()
    assert ("errcode" in event) is ("shape" not in plan)
    assert ("result" in event) is ("result" in expected)


def test_a_pass_can_have_a_contradicting_detail(planned):
    _, [(_, body)] = planned(verdict="contradictory")
    event = event_in(body)
    assert (event["result"]["suggest"], event["detail"][0]["suggest"]) == ("pass", "risky")


def test_a_call_without_version_gets_the_old_shape(event):
    assert event(version=None, scene=None, openid=None)["isrisky"] == 0


def test_a_pass_can_be_planned_for_an_unfetched_object(planned, site):
    """As reports have it of a bucket whose hot-link rules kept the checker out."""
    _, [(_, body)] = planned("not-there", verdict="pass_unseen")
    assert event_in(body)["result"]["suggest"] == "pass"
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


def test_late_pushes_can_be_released(pushing, check, call, site):
    pushing.checks.plan.add(PlannedCheck(delay=3600, times=1))
    late = check()["trace_id"]
    check()
    site.pushes(1)
    assert call("/-/check", method="GET")["waiting"] == 1
    assert call("/-/check/waiting", {}) == {"released": 1}
    assert event_in(site.pushes(2)[1][1])["trace_id"] == late


@pytest.mark.parametrize("reason", ["planned", "not taken"])
def test_a_repeated_push_can_be_encrypted_again(pushing, planned, site, reason):
    if reason == "planned":
        _, (first, second) = planned(pushes=2, timing="twice")
    else:
        pushing.checks.rules = WechatRules(push_repeats_alike=False)
        site.answers = [(500, b"")]
        _, (first, second) = planned(pushes=2)
    assert event_in(first[1]) == event_in(second[1])
    assert first[1] != second[1]
    assert query_of(first[0])["nonce"] != query_of(second[0])["nonce"]


def test_a_push_may_never_come(pushing, check, site):
    pushing.checks.plan.add(PlannedCheck(timing="never", times=1))
    check()
    trace_id = check()["trace_id"]
    assert [event_in(body)["trace_id"] for _, body in site.pushes(1)] == [trace_id]


def test_a_push_of_another_app_is_sealed_for_that(planned):
    _, [(_, body)] = planned(push="wrong_appid")
    assert opened(json.loads(body)["Encrypt"])[1] == b"wx0000000000other0"


def test_a_bad_signature_is_bad(planned):
    _, [(path, body)] = planned(push="bad_signature")
    query = query_of(path)
    right = signature_of("AAAAA", query["timestamp"], query["nonce"], json.loads(body)["Encrypt"])
    assert query["msg_signature"] != right


def test_a_push_can_have_an_unknown_trace_id(planned):
    trace_id, [(_, body)] = planned(push="unknown_trace")
    assert event_in(body)["trace_id"] != trace_id


def test_plain_mode_seals_nothing(planned):
    trace_id, [(path, body)] = planned(push="plain")
    assert json.loads(body)["trace_id"] == trace_id
    query = query_of(path)
    assert query["signature"] == signature_of("AAAAA", query["timestamp"], query["nonce"])
    assert not {"msg_signature", "encrypt_type"} & set(query)


def test_compatible_mode_sends_plain_and_encrypted_fields(planned):
    trace_id, [(path, body)] = planned(push="compatible")
    assert json.loads(body)["trace_id"] == event_in(body)["trace_id"] == trace_id
    assert {"signature", "msg_signature"} <= set(query_of(path))


def test_xml_nests_as_the_json_does(planned):
    trace_id, [(_, body)] = planned(format="xml")
    event = ElementTree.fromstring(opened(ElementTree.fromstring(body).findtext("Encrypt"))[0])
    assert event.findtext("trace_id") == trace_id
    assert (event.findtext("result/suggest"), event.findtext("detail/label")) == ("pass", "100")


@pytest.mark.parametrize("answer", [(500, b""), (503, b"success"), (200, b'{"ok":1}'), (200, b'"success"')])
def test_an_unacknowledged_push_is_repeated_byte_for_byte(pushing, check, site, answer):
    site.answers = [answer, answer]
    check()
    first, second, third = site.pushes(3)
    assert first == second == third
    assert [pushed[2:] for pushed in _settled(pushing)] == [(3, True)]


@pytest.mark.parametrize(
    ("answer", "rules", "outcome"),
    [
        ((500, b""), {}, (4, False)),
        ((500, b""), {"push_repeats": 0}, (1, False)),
        ((200, b""), {}, (1, True)),
    ],
)
def test_a_push_is_repeated_three_times_at_most_until_it_is_taken(
    pushing, check, site, answer, rules, outcome
):
    pushing.checks.rules = WechatRules(**rules)
    site.answers = [answer] * 6
    check()
    site.pushes(outcome[0])
    assert [pushed[2:] for pushed in _settled(pushing)] == [outcome]
    assert len(site.answers) == 6 - outcome[0]


def test_a_rule_lets_unlisted_formats_pass_the_check(pushing, event, site):
    pushing.checks.rules = WechatRules(check_takes_unlisted=True)
    site.files["/held/sunset.png"] = UNREADABLE["webp"]
    assert event()["result"]["suggest"] == "pass"


@pytest.mark.parametrize(("opens", "errcode"), [(True, 0), (False, -1008)])
def test_a_rule_closes_presigned_addresses_alone(pushing, event, site, opens, errcode):
    pushing.checks.rules = WechatRules(check_opens_presigned=opens)
    query = "x-oss-expires=3600&x-oss-signature=00"
    assert event(media_url=f"{site.origin}/held/sunset.png?{query}")["errcode"] == errcode
    assert [method for method, *_ in site.requests] == (["GET", "POST"] if opens else ["POST"])


def test_a_plain_address_is_open_under_that_rule(pushing, event, site):
    pushing.checks.rules = WechatRules(check_opens_presigned=False)
    assert event(media_url=f"{site.origin}/held/sunset.png?t=a.b.c")["errcode"] == 0


def test_a_verdict_takes_as_long_as_the_rules_have_it(clock):
    server = WechatServer("wx", "s", now=clock, rules=WechatRules(check_takes_up_to=timedelta(minutes=30)))
    server.stop()
    assert server.checks.delays == (0, 1800)


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
