"""Stable access tokens: the same one again, until it nears its end or somebody forces another."""

import pytest

from local.wechat.access_tokens import AccessTokens
from tests.local.wechat.conftest import APP_ID, SECRET
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PATH = "/cgi-bin/stable_token"
ASKED = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}


@pytest.fixture
def tokens(clock):
    return AccessTokens(clock)


def test_the_same_token_with_the_life_that_is_left(tokens, clock):
    first, life = tokens.give()
    assert (life, len(first) > 130, tokens.refusal(first)) == (7200, True, None)
    clock.tick(seconds=6855)
    assert tokens.give() == (first, 345)
    clock.tick(seconds=45)
    assert tokens.give() == (first, 300)


def test_a_token_near_its_end_is_renewed_and_both_stay_valid(tokens, clock):
    first, _ = tokens.give()
    clock.tick(seconds=6901)
    second, life = tokens.give()
    assert (second != first, life) == (True, 7200)
    assert tokens.refusal(first) is tokens.refusal(second) is None
    clock.tick(seconds=299)
    assert tokens.refusal(first).errcode == 42001
    assert tokens.refusal(second) is None


def test_a_forced_token_kills_the_others(tokens, clock):
    first, _ = tokens.give()
    second, life = tokens.give(is_forced=True)
    assert (second != first, life, tokens.refusal(first).errcode) == (True, 7200, 40001)
    clock.tick(seconds=10)
    assert tokens.give() == (second, 7190)


def test_forcing_again_within_half_a_minute_does_nothing(tokens, clock):
    first, _ = tokens.give(is_forced=True)
    clock.tick(seconds=29)
    assert tokens.give(is_forced=True) == (first, 7171)
    clock.tick(seconds=1)
    assert tokens.give(is_forced=True)[0] != first


def test_twenty_tokens_a_day_are_forced_and_no_more(tokens, clock):
    for _ in range(20):
        last, _ = tokens.give(is_forced=True)
        clock.tick(seconds=30)
    assert tokens.give(is_forced=True).errcode == 45009
    assert tokens.give()[0] == last
    clock.tick(days=1, seconds=-601)
    assert tokens.give(is_forced=True).errcode == 45009
    clock.tick(seconds=1)
    assert tokens.give(is_forced=True)[0] != last


@pytest.mark.parametrize(("text", "errcode"), [("", 41001), ("guess", 40001)])
def test_no_token_and_a_wrong_one_open_nothing(tokens, text, errcode):
    tokens.give()
    assert tokens.refusal(text).errcode == errcode


def test_a_token_replaced_by_another_client_is_invalid(tokens):
    first, _ = tokens.give()
    tokens.replace()
    assert tokens.refusal(first).errcode == 40001
    assert tokens.refusal(tokens.give()[0]) is None


def test_an_access_token_is_requested_by_post(wechat, call):
    answer = call(PATH, ASKED)
    assert set(answer) == {"access_token", "expires_in"}
    assert call(PATH, ASKED | {"force_refresh": False}) == answer
    assert call(PATH, ASKED | {"force_refresh": True}) != answer
    assert [(made.path, made.app_id, made.errcode) for made in wechat.calls] == [(PATH, APP_ID, 0)] * 3
    assert answer["access_token"] not in repr(wechat.calls)


@cases("changed", "errcode")
def test_a_token_is_refused_in_wechats_words(call, changed, errcode):
    assert call(PATH, ASKED | changed)["errcode"] == errcode


def test_no_token_for_a_get_or_an_invalid_body(call):
    assert [call(PATH, body)["errcode"] for body in (b"x", b"[]", b"[" * 4000)] == [47001] * 3
    assert call(PATH, method="GET")["errcode"] == 43002


@cases("kind", "errcode")
def test_a_token_is_refused_as_planned(wechat, call, kind, errcode):
    wechat.faults.plan(kind, times=1, on=["stable_token"])
    assert call(PATH, ASKED)["errcode"] == errcode
    assert "access_token" in call(PATH, ASKED)
