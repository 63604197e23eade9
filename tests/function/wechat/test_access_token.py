"""wechat.api: one access token for each instance, fetched once at a time, never force-refreshed."""

import json
import re
import sys
import threading
import time
from datetime import timedelta

import pytest

from function.errors import Misconfigured, UploadError, WechatUnavailable
from function.http.client import ExchangeFailed, HttpResponse
from function.wechat import WechatApp
from function.wechat.api import AccessTokens
from tests.support.cases import cases_beside, table_beside
from tests.support.wechat import TOKEN as STABLE_TOKEN
from tests.support.wechat import Wechat

cases = cases_beside(__file__)

APP = WechatApp("wx0123456789abcdef", "wechat-SecretCanary", "https://api.weixin.qq.com")
TOKEN = "86_token-of-WeChat-0001"


def says(told, status=200):
    return HttpResponse(status, told if isinstance(told, bytes) else json.dumps(told).encode())


def token(text=TOKEN, expires_in=7200, **more):
    return {"access_token": text, "expires_in": expires_in, **more}


def tokens_of(*answers):
    wechat = Wechat(says={STABLE_TOKEN: list(answers)})
    return AccessTokens(APP, wechat.send), wechat


def test_the_request_is_as_documented_and_forces_no_refresh(clock):
    tokens, wechat = tokens_of(token())
    assert tokens.get(clock()) == TOKEN
    ((_, query, fields, url, options),) = wechat.asked
    assert url == "https://api.weixin.qq.com/cgi-bin/stable_token"
    assert fields == {"grant_type": "client_credential", "appid": APP.appid, "secret": APP.secret}
    assert options["headers"] == {"Content-Type": "application/json"}
    assert (query, options["budget_seconds"]) == (None, 2.0)


@cases("expires_in", "seconds", "calls")
def test_a_token_is_cached_until_a_minute_before_its_end(clock, expires_in, seconds, calls):
    tokens, wechat = tokens_of(token(expires_in=expires_in))
    tokens.get(clock())
    assert tokens.get(clock() + timedelta(seconds=seconds)) == TOKEN
    assert len(wechat.asked) == calls


def test_a_token_is_fetched_by_the_way_of_the_request_that_needs_it(clock):
    tokens, wechat = tokens_of()
    other = Wechat(says={STABLE_TOKEN: [token()]})
    assert tokens.get(clock(), other.send) == TOKEN
    assert (len(other.asked), wechat.asked) == (1, [])


def test_a_dropped_token_is_fetched_again(clock):
    tokens, wechat = tokens_of(token(), token("the-next-one"))
    tokens.drop("before there was any")
    tokens.drop(tokens.get(clock()))
    assert tokens.get(clock()) == "the-next-one"
    tokens.drop(TOKEN)
    assert tokens.get(clock()) == "the-next-one"
    assert len(wechat.asked) == 2


@pytest.mark.parametrize("errcode", [0, None, "0"])
def test_the_largest_values_are_accepted(clock, errcode):
    longest = token("t" * 2048, errcode=errcode, expires_in=86_400)
    tokens, wechat = tokens_of(longest)
    assert tokens.get(clock()) == tokens.get(clock() + timedelta(hours=23)) == "t" * 2048
    assert len(wechat.asked) == 1


@cases("errcode", "kind", "reason")
def test_each_errcode_has_its_error(clock, errcode, kind, reason):
    tokens, _ = tokens_of({"errcode": errcode, "errmsg": "errmsg-canary"})
    with pytest.raises(UploadError) as refused:
        tokens.get(clock())
    assert type(refused.value).__name__ == kind
    assert (refused.value.reason, refused.value.upstream) == (reason, str(errcode))
    named = [problem.setting for problem in getattr(refused.value, "problems", ())]
    assert named == ([re.search("WECHAT_[A-Z]+", reason)[0]] if kind == "Misconfigured" else [])
    assert "canary" not in f"{refused.value.message}{refused.value.reason}"
    assert refused.value.retry_after == (60 if kind == "WechatUnavailable" else None)


@pytest.mark.parametrize(
    ("errmsg", "address"),
    [
        ("invalid ip 47.96.1.2 ipv6 ::ffff:47.96.1.2, not in whitelist rid: 65f0-1-2", "47.96.1.2"),
        ("invalid ip 2408:4005::1, not in whitelist", "2408:4005::1"),
        *((errmsg, "the address") for errmsg in ("something else", None, ["invalid ip x"])),
    ],
)
def test_only_the_log_names_the_address_missing_from_the_allow_list(clock, errmsg, address):
    tokens, _ = tokens_of({"errcode": 40164, "errmsg": errmsg})
    with pytest.raises(Misconfigured) as refused:
        tokens.get(clock())
    error = refused.value
    assert error.upstream == "40164"
    assert error.reason.startswith(f"WECHAT_APPID has an IP allow-list that does not hold {address}, from")
    assert "IP白名单" in error.reason and "(stable_token errcode 40164)" in error.reason
    assert error.problems[0].setting == "WECHAT_APPID"
    assert address not in error.message or address == "the address"
    assert not error.details


TABLE = table_beside(__file__)
FAULTS = [(ExchangeFailed("timed out"), "stable_token: timed out")]
FAULTS += [(HttpResponse(status, body), f"stable_token: {why}") for status, body, why in TABLE["UNREADABLE"]]
NO_TOKEN = "stable_token: the response has no token with its lifetime"
FAULTS += [(says(fields), NO_TOKEN) for fields in TABLE["NO_TOKEN"]]


@pytest.mark.parametrize(("answer", "reason"), FAULTS, ids=lambda value: str(value)[:60])
def test_an_unreadable_response_is_not_cached_and_retried_by_the_next_request(clock, answer, reason):
    tokens, wechat = tokens_of(answer, token())
    with pytest.raises(WechatUnavailable) as refused:
        tokens.get(clock())
    assert (refused.value.reason, refused.value.retry_after) == (reason, 2)
    assert tokens.get(clock()) == TOKEN
    assert len(wechat.asked) == 2


def in_a_thread(ask, outcomes):
    def run():
        try:
            outcomes.append(ask())
        except (KeyError, WechatUnavailable) as error:
            outcomes.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_all_wait(threads):
    """Until each of them stands in ``Event.wait``."""
    while any("wait" not in _functions_of(thread) for thread in threads):
        time.sleep(0.001)


def _functions_of(thread):
    frame, names = sys._current_frames().get(thread.ident), set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    return names


@pytest.mark.parametrize("answer", [token(), {"errcode": -1}], ids=["a token", "none"])
def test_concurrent_requests_share_one_call_and_its_outcome(clock, answer):
    outcomes, others = [], []

    def slow():
        others.extend(in_a_thread(lambda: tokens.get(clock()), outcomes) for _ in range(7))
        wait_until_all_wait(others)
        return says(answer)

    tokens, wechat = tokens_of(slow)
    in_a_thread(lambda: tokens.get(clock()), outcomes).join(20)
    for thread in others:
        thread.join(20)
    assert len(wechat.asked) == 1
    if "errcode" in answer:
        assert [outcome.reason for outcome in outcomes] == ["stable_token: errcode -1"] * 8
        assert len({id(outcome) for outcome in outcomes}) == 8
    else:
        assert outcomes == [TOKEN] * 8


def test_dropping_a_token_leaves_a_fetch_that_is_under_way(clock):
    def drops():
        tokens.drop(TOKEN)
        return says(token())

    tokens, wechat = tokens_of(drops)
    tokens.drop(TOKEN)
    assert tokens.get(clock()) == tokens.get(clock()) == TOKEN
    assert len(wechat.asked) == 1


def test_a_fetch_that_breaks_off_ends_the_wait_of_the_others(clock):
    outcomes, others = [], []

    def breaks():
        others.append(in_a_thread(lambda: tokens.get(clock()), outcomes))
        wait_until_all_wait(others)
        raise KeyError("a mistake of ours")

    tokens, _ = tokens_of(breaks, token())
    in_a_thread(lambda: tokens.get(clock()), outcomes).join(20)
    others[0].join(20)
    broken, waited = sorted(outcomes, key=lambda outcome: type(outcome).__name__)
    assert isinstance(broken, KeyError)
    assert waited.reason == "stable_token: the request that fetched it broke off"
    assert tokens.get(clock()) == TOKEN
