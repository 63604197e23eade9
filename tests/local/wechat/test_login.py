"""Logins at the local WeChat: codes that are good once, refusals in WeChat's words, bad days."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from local.wechat.access_tokens import AccessTokens
from tests.local.wechat.conftest import APP_ID, SECRET
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
PATH = "/sns/jscode2session"


@pytest.fixture
def login(send):
    """Exchange a code; parameters may be changed or, with ``None``, left out. Always HTTP 200."""

    def login(code, **changed):
        given = {"appid": APP_ID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"}
        given = {name: value for name, value in (given | changed).items() if value is not None}
        status, content_type, body = send("GET", f"{PATH}?{urlencode(given)}")
        assert (status, content_type) == (200, "text/plain")
        return json.loads(body)

    return login


@pytest.mark.parametrize("issued", [True, False])
def test_a_code_is_good_once_and_for_five_minutes(wechat, login, clock, issued):
    waiting, late = wechat.issue_code(), wechat.issue_code()
    code = wechat.issue_code() if issued else "local-alice"
    assert "openid" in login(code)
    assert login(code)["errcode"] == 40163
    clock.tick(seconds=299)
    assert "openid" in login(waiting)
    clock.tick(seconds=1)
    assert (login(late)["errcode"], login(code)["errcode"]) == (40029, 40163)


@pytest.mark.parametrize("code", ["bad-", "bad-" + "0" * 32, "x" * 129, "local-" + "a" * 123])
def test_an_invalid_or_too_long_code_is_refused(login, code):
    assert [login(code)["errcode"] for _ in range(2)] == [40029, 40029]


@cases("code")
def test_a_code_as_devtools_give_is_the_developer_s_and_good_once_unless_it_is_the_mock_one(login, code):
    developer = login("devtools-1")["openid"]
    assert login(code)["openid"] == developer != login("local-alice")["openid"]
    assert login(code)["errcode"] == 40163
    assert {login("the code is a mock one")["openid"] for _ in range(3)} == {developer}


def test_a_local_code_names_a_user_of_its_own_who_is_the_same_everywhere(login):
    """Worked out from the app id and the code alone, so that a restart changes nobody."""
    assert login("local-alice")["openid"] == "o3feOgcKEjO7OdG5fEQQd2Emp80y"
    codes = ("local-bob", "x", "local-", "local-张三", "local-" + "a" * 122)
    assert len({login(code)["openid"] for code in codes}) == 5


@cases("changed", "errcode", "words")
def test_refuses_in_wechats_words_and_keeps_the_code_good(login, changed, errcode, words):
    answer = login("local-alice", **changed)
    assert (set(answer), answer["errcode"]) == ({"errcode", "errmsg"}, errcode)
    assert re.fullmatch(words + r", rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}", answer["errmsg"])
    assert "openid" in login("local-alice")


def test_a_login_is_a_get_and_the_first_of_two_parameters_counts(send):
    good = urlencode({"appid": APP_ID, "js_code": "local-a", "grant_type": "authorization_code"})
    answer = send("GET", f"{PATH}?secret=guess&{good}&secret={SECRET}")
    assert json.loads(answer[2])["errcode"] == 40125
    status, _, body = send("POST", f"{PATH}?appid=x", "a=b")
    assert (status, json.loads(body)["errcode"]) == (200, 43001)


def test_a_user_logs_in_a_hundred_times_a_minute(wechat, login, clock):
    for _ in range(99):
        login(wechat.issue_code("oBusy"))
    clock.tick(seconds=30)
    assert login(wechat.issue_code("oBusy"))["openid"] == "oBusy"
    waiting = wechat.issue_code("oBusy")
    assert login(waiting)["errcode"] == 45011
    assert login(wechat.issue_code("oOther"))["openid"] == "oOther"
    clock.tick(seconds=30)
    assert login(waiting)["openid"] == "oBusy"


@cases("method", "target", "body", "status")
def test_other_paths_and_methods_are_errors(send, method, target, body, status):
    answer = send(method, target, body)
    assert answer[0] == status and json.loads(answer[2])["error"]


@cases("kind", "pattern")
def test_a_planned_fault_is_the_answer_to_one_call(send, login, kind, pattern):
    assert send("PUT", "/-/faults", json.dumps({"kind": kind, "times": 1}))[0] == 200
    status, _, body = send("GET", PATH)
    assert status == 200 and re.fullmatch(pattern, body.decode())
    assert "openid" in login("local-alice")


def test_calls_are_recorded_without_secrets_and_printed_nowhere(wechat, login, send, clock, capfd):
    login("local-alice")
    login("local-alice")
    wechat.faults.plan("missing_field", times=1)
    login("local-bob")
    send("GET", "/redirected")
    wechat.issue_code()
    assert [(call.path, call.app_id, call.errcode) for call in wechat.calls] == [
        *((PATH, APP_ID, errcode) for errcode in (0, 40163, None)),
        ("/redirected", "", None),
    ]
    assert {call.time for call in wechat.calls} == {clock.instant}
    assert SECRET not in repr(wechat.calls) and "local-" not in repr(wechat.calls)
    assert capfd.readouterr() == ("", "")


def test_one_code_logs_in_one_of_many_at_once(wechat, login):
    code = wechat.issue_code()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(login, [code] * 16))
    assert sorted(answer.get("errcode", 0) for answer in answers) == [0] + [40163] * 15


TOKENS = "/cgi-bin/stable_token"
ASKED = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}


@pytest.fixture
def tokens(clock):
    return AccessTokens(clock)


def test_the_same_token_is_given_until_it_nears_its_end_and_then_both_stay_valid(tokens, clock):
    first, life = tokens.give()
    assert (life, len(first) > 130, tokens.refusal(first)) == (7200, True, None)
    for seconds, left in ((6855, 345), (45, 300)):
        clock.tick(seconds=seconds)
        assert tokens.give() == (first, left)
    clock.tick(seconds=1)
    second, life = tokens.give()
    assert (second != first, life) == (True, 7200)
    assert tokens.refusal(first) is tokens.refusal(second) is None
    clock.tick(seconds=299)
    assert (tokens.refusal(first).errcode, tokens.refusal(second)) == (42001, None)


def test_a_forced_token_kills_the_others_and_forcing_again_within_half_a_minute_does_nothing(tokens, clock):
    first, _ = tokens.give()
    second, life = tokens.give(is_forced=True)
    assert (second != first, life, tokens.refusal(first).errcode) == (True, 7200, 40001)
    clock.tick(seconds=29)
    assert tokens.give(is_forced=True) == tokens.give() == (second, 7171)
    clock.tick(seconds=1)
    assert tokens.give(is_forced=True)[0] != second


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


def test_no_token_a_wrong_one_and_one_replaced_by_another_client_open_nothing(tokens):
    first, _ = tokens.give()
    assert [tokens.refusal(text).errcode for text in ("", "guess")] == [41001, 40001]
    tokens.replace()
    assert tokens.refusal(first).errcode == 40001
    assert tokens.refusal(tokens.give()[0]) is None


@cases("changed", "errcode")
def test_a_token_is_refused_in_words_of_wechat_and_for_a_get_or_an_invalid_body(call, changed, errcode):
    assert call(TOKENS, ASKED | changed)["errcode"] == errcode
    assert [call(TOKENS, body)["errcode"] for body in (b"x", b"[]", b"[" * 4000)] == [47001] * 3
    assert call(TOKENS, method="GET")["errcode"] == 43002


@cases("kind", "errcode")
def test_a_token_is_refused_as_planned(wechat, call, kind, errcode):
    wechat.faults.plan(kind, times=1, on=["stable_token"])
    assert call(TOKENS, ASKED)["errcode"] == errcode
    assert "access_token" in call(TOKENS, ASKED)
