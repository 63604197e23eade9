"""What media_check_async takes, and how it refuses the rest."""

import contextlib

import pytest

from local.wechat.rules import WechatRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_check_returns_only_a_trace_id(check, clock):
    answer = check()
    assert set(answer) == {"errcode", "errmsg", "trace_id"}
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    second, *rest = answer["trace_id"].split("-")
    assert int(second, 16) == int(clock.instant.timestamp())
    assert [len(part) for part in rest] == [8, 8]


@cases("changed", "errcode")
def test_a_check_with_an_invalid_field_is_refused(check, site, changed, errcode):
    assert check(**changed)["errcode"] == errcode
    assert check(media_url="http://127.0.0.1/" + "a" * 4080)["errcode"] == 40097
    assert site.requests == []


@pytest.mark.parametrize(
    ("body", "errcode"), [(b"", 44002), (b"x", 47001), (b"[]", 47001), (b"null", 47001), (b"\xff", 47001)]
)
def test_a_check_body_that_is_not_a_json_object_is_refused(pushing, call, body, errcode):
    path = f"/wxa/media_check_async?access_token={pushing.tokens.give()[0]}"
    assert call(path, body)["errcode"] == errcode


def test_a_check_is_a_post_with_a_token(call):
    assert call("/wxa/media_check_async", {})["errcode"] == 41001
    assert call("/wxa/media_check_async?access_token=guess", {})["errcode"] == 40001
    assert call("/wxa/media_check_async?access_token=x", method="GET")["errcode"] == 43002


@pytest.mark.parametrize(("seconds", "errcode"), [(7200, 0), (7201, 61010)])
def test_a_user_counts_as_there_for_two_hours(check, clock, seconds, errcode):
    clock.tick(seconds=seconds)
    assert check()["errcode"] == errcode


@cases("kind", "errcode")
def test_refuses_once_as_switched(pushing, check, site, kind, errcode):
    pushing.faults.plan(kind, times=1, on=["media_check_async"])
    assert check()["errcode"] == errcode
    assert site.requests == []
    assert check()["errcode"] == 0


def test_with_api_security_on_no_plain_check_is_taken(pushing, check, site):
    pushing.checks.rules = WechatRules(api_is_encrypted=True)
    assert check()["errcode"] == 40234
    assert site.requests == []


@pytest.mark.parametrize("kind", ["blocked", "bad_secret", "address_refused"])
def test_faults_of_other_calls_cannot_be_planned_for_a_check(pushing, kind):
    with pytest.raises(ValueError, match="strikes"):
        pushing.faults.plan(kind, on=["media_check_async"])


def test_a_lost_response_does_not_stop_the_verdict(pushing, check, site):
    pushing.faults.plan("answer_lost", times=1)
    with pytest.raises(OSError):
        check()
    assert site.pushes(1)


@pytest.mark.parametrize(
    "kind", ["wrong_type", "missing_field", "malformed", "status_500", "not_utf8", "empty"]
)
def test_a_bad_day_accepts_nothing(pushing, call, site, kind):
    pushing.faults.plan(kind, times=1, on=["media_check_async"])
    with contextlib.suppress(ValueError):
        assert "errcode" not in call("/wxa/media_check_async?access_token=x", {})
    assert site.requests == []
