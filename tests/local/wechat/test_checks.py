"""Checks from the call to the push: what is taken, the file that is really got, the verdict, its plan."""

import base64
import json
from time import monotonic, sleep
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from local.wechat import control_api
from local.wechat.check_plan import PlannedCheck
from local.wechat.rules import WechatRules
from local.wechat.sealing import signature_of
from tests.local.wechat.conftest import APP_ID, PNG
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PATH, KEY = "/wxa/media_check_async", bytes(32)


@cases("changed", "errcode")
def test_a_check_with_an_invalid_field_is_refused(wechat, check, site, changed, errcode):
    wechat.checks.rules = WechatRules(api_is_encrypted=errcode == "40234")
    assert check(**changed)["errcode"] == int(errcode)
    assert site.requests == []


def test_a_check_is_a_post_of_an_object_with_a_token(wechat, call):
    good = f"{PATH}?access_token={wechat.tokens.give()[0]}"
    for path, body, errcode in (
        (good, b"", 44002),
        *((good, body, 47001) for body in (b"x", b"[]", b"null", b"\xff")),
        (PATH, {}, 41001),
        (f"{PATH}?access_token=guess", {}, 40001),
    ):
        assert call(path, body)["errcode"] == errcode
    assert call(good, method="GET")["errcode"] == 43002


@pytest.mark.parametrize(("seconds", "errcode"), [(7200, 0), (7201, 61010)])
def test_a_user_counts_as_there_for_two_hours(check, clock, seconds, errcode):
    clock.tick(seconds=seconds)
    assert check()["errcode"] == errcode


@cases("kind", "errcode")
def test_a_check_is_refused_once_as_planned(wechat, check, site, kind, errcode):
    wechat.faults.plan(kind, times=1, on=["media_check_async"])
    assert check()["errcode"] == errcode
    assert site.requests == []
    assert check()["errcode"] == 0


def test_a_lost_response_does_not_stop_the_verdict(wechat, check, site):
    wechat.faults.plan("answer_lost", times=1)
    with pytest.raises(OSError):
        check()
    assert site.pushes(1)


def opened(encrypt):
    """The message in an ``Encrypt``, and the AppID behind it."""
    decryptor = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).decryptor()
    plain = decryptor.update(base64.b64decode(encrypt)) + decryptor.finalize()
    plain = plain[: -plain[-1]]
    length = int.from_bytes(plain[16:20], "big")
    return plain[20 : 20 + length], plain[20 + length :]


def event_in(body):
    message, app_id = opened(json.loads(body)["Encrypt"])
    assert app_id.decode() == APP_ID
    return json.loads(message)


def query_of(path):
    return dict(parse_qsl(path.partition("?")[2]))


@pytest.fixture
def planned(wechat, check, site):
    """Make a check after this plan: its trace id, and what is pushed."""

    def make(name="sunset", pushes=1, **plan):
        wechat.checks.plan.add(PlannedCheck(**plan))
        trace_id = check(name)["trace_id"]
        return trace_id, site.pushes(pushes)

    return make


@pytest.fixture
def event(check, site):
    """Make a check, and read the event of its one push."""
    return lambda *name, **changes: check(*name, **changes) and event_in(site.pushes(1)[0][1])


def test_a_file_is_got_without_cookies_and_a_name_that_came_with_it_counts_before_the_key_s(
    wechat, event, site
):
    wechat.checks.name_of = {f"{site.origin}/held/sunset.png": "risky-beach.png"}.get
    assert event()["result"]["suggest"] == "risky"
    method, path, headers, _ = site.requests[0]
    assert (method, path) == ("GET", "/held/sunset.png")
    assert not {name.lower() for name in headers} & {"referer", "cookie", "authorization", "range"}


@pytest.mark.parametrize(
    ("name", "suggest", "label"),
    [("sunset", "pass", 100), ("risky-1", "risky", 20006), ("review-1", "review", 21000)],
)
def test_the_verdict_is_in_the_name_and_signed_over_its_sealed_text(check, site, name, suggest, label):
    trace_id = check(name)["trace_id"]
    [(path, body)] = site.pushes(1)
    event, query, sent = event_in(body), query_of(path), json.loads(body)
    about = {"trace_id": trace_id, "appid": APP_ID, "Event": "wxa_media_check"}
    verdict = {"version": 2, "errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": label}}
    detail = {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
    assert event.items() >= {**about, **verdict, "detail": [detail]}.items()
    assert event["FromUserName"] != "oUser"
    assert path.startswith("/wechat-events?") and set(sent) == {"ToUserName", "Encrypt"}
    stamp = query["timestamp"], query["nonce"]
    assert query["encrypt_type"] == "aes"
    assert query["msg_signature"] == signature_of("AAAAA", *stamp, sent["Encrypt"])
    assert query["signature"] == signature_of("AAAAA", *stamp)


@pytest.mark.parametrize(("name", "plan"), [("silent-1", {}), ("sunset", {"timing": "never"})])
def test_a_push_may_never_come(wechat, check, site, name, plan):
    wechat.checks.plan.add(PlannedCheck(**plan, times=1))
    check(name)
    with site.arrived:
        assert site.arrived.wait_for(lambda: site.requests, timeout=60)
    trace_id = check()["trace_id"]
    site.pushes(1)
    wechat.checks.delivery.running.wait()
    assert [event_in(body)["trace_id"] for _, body in site.pushes(1)] == [trace_id]


FILES = {
    "absent": (None, {}, {}, -1008),
    "ten_megabytes": (b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20 - 8), {}, {}, 0),
    "too_large": (b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20), {}, {}, -1008),
    "no_picture": (b"<html>", {}, {}, -1008),
    "webp": (b"RIFF\x10\x00\x00\x00WEBPVP8 ", {}, {}, -1008),
    "webp_by_rule": (b"RIFF\x10\x00\x00\x00WEBPVP8 ", {"check_takes_unlisted": True}, {}, 0),
    "sound_as_picture": (b"ID3\x04sound", {}, {}, -1008),
    "sound": (b"ID3\x04sound", {}, {"media_type": 1}, 0),
    "presigned": (PNG, {}, {"query": "x-oss-expires=1&x-oss-signature=00"}, 0),
    "presigned_and_closed": (PNG, {"check_opens_presigned": False}, {"query": "x-oss-signature=00"}, -1008),
    "its_own_token": (PNG, {"check_opens_presigned": False}, {"query": "t=a"}, 0),
    "elsewhere": (PNG, {}, {"media_url": "http://example.com/a.png"}, -1008),
    "no_address": (PNG, {}, {"media_url": "http://["}, -1008),
}


@pytest.mark.parametrize(("file", "rules", "asked", "errcode"), FILES.values(), ids=FILES)
def test_only_a_readable_file_is_looked_at(wechat, event, site, file, rules, asked, errcode):
    wechat.checks.rules = WechatRules(**rules)
    url, asked = site.put("sunset.png", file or b"", 200 if file else 404), {**asked}
    if "query" in asked:
        asked["media_url"] = f"{url}?{asked.pop('query')}"
    found = event(**asked)
    assert (found["errcode"], "result" in found) == (errcode, errcode == 0)
    assert errcode == 0 or found["detail"] == []


@cases("plan", "expected")
def test_any_verdict_in_any_shape(planned, plan, expected):
    _, [(_, body)] = planned("review-1", **plan)
    event = event_in(body)
    assert event.items() >= expected.items()
    assert ("errcode" in event) is ("shape" not in plan)
    assert ("result" in event) is ("result" in expected)
    if plan == {"verdict": "contradictory"}:
        assert event["detail"][0]["suggest"] == "risky"


def test_a_pass_can_be_planned_for_an_unfetched_object(planned, site):
    """As reports have it of a bucket whose hot-link rules kept the checker out."""
    _, [(_, body)] = planned("not-there", verdict="pass_unseen")
    assert event_in(body)["result"]["suggest"] == "pass"
    assert site.of("GET") == []


def test_a_push_may_come_before_the_answer(wechat, check, site):
    wechat.checks.plan.add(PlannedCheck(timing="early"))
    trace_id = check()["trace_id"]
    assert [event_in(body)["trace_id"] for _, body in site.of("POST")] == [trace_id]


@pytest.mark.parametrize("plan", [{"timing": "late"}, {"delay": 3600}], ids=["late", "delayed"])
def test_a_late_push_comes_half_an_hour_later_or_when_released(wechat, check, call, site, clock, plan):
    wechat.checks.plan.add(PlannedCheck(**plan, times=1))
    late = check()["trace_id"]
    check()
    assert event_in(site.pushes(1)[0][1])["trace_id"] != late
    ends = monotonic() + 60
    while call("/-/check", method="GET")["waiting"] != 1 and monotonic() < ends:
        sleep(0.01)
    if "timing" in plan:
        clock.tick(minutes=31)
    else:
        assert call("/-/check/waiting", {}) == {"released": 1}
    assert event_in(site.pushes(2)[1][1])["trace_id"] == late


@pytest.mark.parametrize("is_planned", [True, False])
def test_a_repeated_push_can_be_encrypted_again(wechat, planned, site, is_planned):
    wechat.checks.rules = WechatRules(push_repeats_alike=is_planned)
    answers = [] if is_planned else [(500, b"")]
    site.posted = lambda *_: answers.pop() if answers else (200, b"")
    _, (first, second) = planned(pushes=2, **({"timing": "twice"} if is_planned else {}))
    assert event_in(first[1]) == event_in(second[1]) and first[1] != second[1]
    assert query_of(first[0])["nonce"] != query_of(second[0])["nonce"]


def test_a_push_can_be_of_another_app_have_a_bad_signature_or_an_unknown_trace_id(planned, site):
    _, [(_, body)] = planned(push="wrong_appid", times=1)
    assert opened(json.loads(body)["Encrypt"])[1] == b"wx0000000000other0"
    _, (*_, (path, body)) = planned(push="bad_signature", pushes=2, times=1)
    query = query_of(path)
    right = signature_of("AAAAA", query["timestamp"], query["nonce"], json.loads(body)["Encrypt"])
    assert query["msg_signature"] != right
    trace_id, pushed = planned(push="unknown_trace", pushes=3)
    assert event_in(pushed[2][1])["trace_id"] != trace_id


@pytest.mark.parametrize("mode", ["plain", "compatible"])
def test_plain_mode_seals_nothing_and_compatible_mode_sends_both(planned, mode):
    trace_id, [(path, body)] = planned(push=mode)
    query, sent = query_of(path), json.loads(body)
    assert sent["trace_id"] == trace_id
    assert query["signature"] == signature_of("AAAAA", query["timestamp"], query["nonce"])
    assert {"Encrypt" in sent, "msg_signature" in query, "encrypt_type" in query} == {mode == "compatible"}
    assert mode == "plain" or event_in(body)["trace_id"] == trace_id


def test_xml_nests_as_the_json_does(planned):
    trace_id, [(_, body)] = planned(format="xml")
    event = ElementTree.fromstring(opened(ElementTree.fromstring(body).findtext("Encrypt"))[0])
    assert event.findtext("trace_id") == trace_id
    assert (event.findtext("result/suggest"), event.findtext("detail/label")) == ("pass", "100")


@cases("answer", "rules", "outcome")
def test_a_push_is_repeated_alike_three_times_at_most_until_it_is_taken(
    wechat, check, call, site, answer, rules, outcome
):
    wechat.checks.rules = WechatRules(**rules)
    site.posted = lambda *_: answer
    check()
    assert len(set(site.pushes(outcome[0]))) == 1
    ends = monotonic() + 60
    while not (told := call("/-/check", method="GET")["pushed"]) and monotonic() < ends:
        sleep(0.01)
    assert [(each["verdict"], each["attempts"], each["is_taken"]) for each in told] == [("pass", *outcome)]
    assert len(site.of("POST")) == outcome[0]


def test_without_a_push_address_nothing_is_pushed(wechat, check, call, site):
    wechat.checks.pushes.clear()
    assert check()["errcode"] == 0
    assert site.of("POST") == [] and call("/-/push", method="GET")["error"]


def test_checks_are_planned_used_up_listed_and_cleared(wechat, call):
    usual = {"shape": "usual", "timing": "usual", "push": "secure", "format": "json", "delay": None}
    planned = call("/-/check", {"verdict": "risky", "times": 2}, "PUT")["planned"]
    assert planned == [{"verdict": "risky", **usual, "times": 2}]
    assert len(call("/-/check", {"verdict": "review", "times": 1})["planned"]) == 2
    taken = [wechat.checks.plan.take().verdict for _ in range(4)]
    assert taken == ["risky", "risky", "review", "by_name"]
    call("/-/check", {"verdict": "pass"})
    assert {wechat.checks.plan.take().verdict for _ in range(9)} == {"pass"}
    assert call("/-/check", method="DELETE")["planned"] == []
    assert "contradictory" in call("/-/check", method="GET")["choices"]["verdict"]
    assert "POST" in call("/-/check/waiting", method="GET")["error"]


@cases("wanted")
def test_an_unknown_outcome_is_refused(wechat, call, wanted):
    assert call("/-/check", wanted)["error"]
    assert wechat.checks.plan.planned() == []


def test_the_push_address_is_verified_by_echo(wechat, call, site, monkeypatch):
    where = {"url": f"{site.origin}/wechat-events"}
    assert call("/-/push", method="GET") == where
    assert call("/-/push", {}) == {**where, "verified": False}
    assert {"signature", "timestamp", "nonce", "echostr"} <= set(query_of(site.requests[0][1]))
    asked = []
    monkeypatch.setattr(control_api, "verify", lambda push, at: asked.append((push, at)) or True)
    assert call("/-/push", {})["verified"] is True
    assert asked == [(wechat.checks.pushes[APP_ID], int(wechat.now().timestamp()))]
