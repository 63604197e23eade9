"""The local WeChat: codes that are good once, refusals in WeChat's words, bad days."""

import http.client
import json
import re
import threading
import time
from urllib.parse import urlencode

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)

APP_ID = "wx0123456789abcdef"
SECRET = "wechat-secret"


@pytest.fixture
def wechat_send(wechat_server):
    """One HTTP exchange: status, content type, body."""

    def send(method, target, body=None, **headers):
        connection = http.client.HTTPConnection(wechat_server.origin.removeprefix("http://"), timeout=60)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type"), answer.read()
        finally:
            connection.close()

    return send


@pytest.fixture
def wechat_login(wechat_send):
    """Exchange a code; parameters may be changed or, with ``None``, left out. Always HTTP 200."""

    def login(code, **changed):
        given = {"appid": APP_ID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"}
        given = {name: value for name, value in (given | changed).items() if value is not None}
        status, content_type, body = wechat_send("GET", "/sns/jscode2session?" + urlencode(given))
        assert (status, content_type) == (200, "text/plain")
        return json.loads(body)

    return login


def test_a_code_becomes_its_user_and_no_errcode(wechat_server, wechat_login):
    answer = wechat_login(wechat_server.issue_code("oUser_of-the-tests0000000000"))
    assert set(answer) == {"openid", "session_key"}
    assert answer["openid"] == "oUser_of-the-tests0000000000"
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}==", answer["session_key"])


def test_a_code_without_a_user_names_a_new_user(wechat_server, wechat_login):
    openids = {wechat_login(wechat_server.issue_code())["openid"] for _ in range(5)}
    assert len(openids) == 5
    assert all(re.fullmatch(r"o[A-Za-z0-9_-]{27}", openid) for openid in openids)


def test_codes_look_like_wechats(wechat_server):
    assert re.fullmatch(r"[0-9a-zA-Z]{32}", wechat_server.issue_code())


@pytest.mark.parametrize("issued", [True, False])
def test_a_code_is_good_once(wechat_server, wechat_login, issued):
    code = wechat_server.issue_code() if issued else "local-alice"
    assert "openid" in wechat_login(code)
    assert [wechat_login(code)["errcode"] for _ in range(2)] == [40163, 40163]


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (299, True), (300, False), (3600, False)])
def test_a_code_is_valid_for_five_minutes(wechat_server, wechat_login, clock, seconds, good):
    code = wechat_server.issue_code()
    clock.tick(seconds=seconds)
    answer = wechat_login(code)
    assert ("openid" in answer) is good
    assert answer.get("errcode") == (None if good else 40029)


@pytest.mark.parametrize(("is_used", "errcode"), [(False, 40029), (True, 40163)])
def test_a_code_that_is_over_or_used_stays_so(wechat_server, wechat_login, clock, is_used, errcode):
    code = wechat_server.issue_code("oSomebody")
    if is_used:
        wechat_login(code)
    clock.tick(hours=1)
    wechat_server.issue_code()
    assert wechat_login(code)["errcode"] == errcode


@pytest.mark.parametrize("code", ["bad-", "bad-code", "bad-" + "0" * 32, "x" * 129, "local-" + "a" * 123])
def test_an_invalid_or_too_long_code_is_refused(wechat_login, code):
    assert [wechat_login(code)["errcode"] for _ in range(2)] == [40029, 40029]


@cases("code")
def test_a_code_as_devtools_give_is_the_developer_s_and_good_once(wechat_login, code):
    developer = wechat_login("devtools-1")["openid"]
    assert wechat_login(code)["openid"] == developer
    assert wechat_login(code)["errcode"] == 40163
    assert wechat_login("local-alice")["openid"] != developer


def test_the_mock_code_of_devtools_is_the_developer_s_each_time(wechat_login):
    answers = [wechat_login("the code is a mock one") for _ in range(3)]
    assert {answer["openid"] for answer in answers} == {wechat_login("devtools-2")["openid"]}


@pytest.mark.parametrize("code", ["local-", "local-张三", "local-" + "a" * 122])
def test_a_local_code_is_a_user_s_of_its_own(wechat_login, code):
    assert wechat_login(code)["openid"] not in {
        wechat_login("local-bob")["openid"],
        wechat_login("x")["openid"],
    }


def test_a_local_code_names_the_same_user_everywhere(wechat_login):
    """Worked out from the app id and the code alone, so that a restart changes nobody."""
    assert wechat_login("local-alice")["openid"] == "o3feOgcKEjO7OdG5fEQQd2Emp80y"
    assert wechat_login("local-bob")["openid"] != wechat_login("local-carol")["openid"]


@cases("changed", "errcode", "words")
def test_refuses_in_wechats_words_and_keeps_the_code_good(wechat_login, changed, errcode, words):
    answer = wechat_login("local-alice", **changed)
    assert set(answer) == {"errcode", "errmsg"}
    assert answer["errcode"] == errcode
    assert re.fullmatch(re.escape(words) + r", rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}", answer["errmsg"])
    assert "openid" in wechat_login("local-alice")


def test_the_first_of_two_parameters_counts(wechat_send):
    good = urlencode({"appid": APP_ID, "js_code": "local-a", "grant_type": "authorization_code"})
    target = f"/sns/jscode2session?secret=guess&{good}&secret={SECRET}"
    assert json.loads(wechat_send("GET", target)[2])["errcode"] == 40125


def test_a_user_logs_in_a_hundred_times_a_minute(wechat_server, wechat_login, clock):
    for _ in range(99):
        wechat_login(wechat_server.issue_code("oBusy"))
    clock.tick(seconds=30)
    assert wechat_login(wechat_server.issue_code("oBusy"))["openid"] == "oBusy"
    waiting = wechat_server.issue_code("oBusy")
    assert wechat_login(waiting)["errcode"] == 45011
    assert wechat_login(wechat_server.issue_code("oOther"))["openid"] == "oOther"
    clock.tick(seconds=30)
    assert wechat_login(waiting)["openid"] == "oBusy"


def test_scripts_get_codes_over_http(wechat_send, wechat_login):
    status, _, body = wechat_send("POST", "/-/codes", '{"openid": "oScript"}')
    assert (status, wechat_login(json.loads(body)["code"])["openid"]) == (200, "oScript")
    for empty in (None, "{}", '{"openid": null}'):
        status, _, body = wechat_send("POST", "/-/codes", empty)
        assert (status, len(wechat_login(json.loads(body)["code"])["openid"])) == (200, 28)


@cases("method", "target", "body", "status")
def test_other_paths_and_methods_are_errors(wechat_send, method, target, body, status):
    answer = wechat_send(method, target, body)
    assert answer[0] == status
    assert json.loads(answer[2])["error"]


def test_a_login_is_a_get(wechat_send):
    status, _, body = wechat_send("POST", "/sns/jscode2session?appid=x", "a=b")
    assert (status, json.loads(body)["errcode"]) == (200, 43001)


@cases("kind", "errcode")
def test_a_planned_fault_refuses_one_call(wechat_server, wechat_login, kind, errcode):
    wechat_server.faults.plan(kind, times=1)
    answer = wechat_login("local-alice")
    assert answer["errcode"] == errcode
    assert ", rid: " in answer["errmsg"]
    assert "openid" in wechat_login("local-alice")


@cases("kind", "status", "body")
def test_a_planned_fault_gives_one_invalid_response(
    wechat_server, wechat_send, wechat_login, kind, status, body
):
    wechat_server.faults.plan(kind, times=1)
    answer = wechat_send("GET", "/sns/jscode2session")
    assert answer[0] == status
    assert answer[2].startswith(body)
    assert kind != "empty" or answer[2] == b""
    assert kind != "huge" or len(answer[2]) > 2**20
    assert "openid" in wechat_login("local-alice")


def test_a_planned_fault_drops_the_connection(wechat_server, wechat_login):
    wechat_server.faults.plan("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        wechat_login("local-alice")
    assert "openid" in wechat_login("local-alice")


def test_redirects_to_where_a_follower_would_be_seen(wechat_server):
    wechat_server.faults.plan("redirect", times=1)
    connection = http.client.HTTPConnection(wechat_server.origin.removeprefix("http://"), timeout=60)
    connection.request("GET", "/sns/jscode2session")
    answer = connection.getresponse()
    connection.close()
    port = wechat_server.origin.rpartition(":")[2]
    assert (answer.status, answer.headers["Location"]) == (302, f"http://localhost:{port}/redirected")


def test_a_planned_fault_delays_one_response(wechat_server, wechat_login):
    wechat_server.faults.plan("slow", times=1, seconds=0.1)
    before = time.monotonic()
    assert "openid" in wechat_login("local-alice")
    assert time.monotonic() - before >= 0.1


def test_the_switchboard_is_open_over_http(wechat_send, wechat_login):
    assert wechat_send("PUT", "/-/faults", '{"kind": "busy", "times": 1}')[0] == 200
    assert wechat_login("local-alice")["errcode"] == -1
    assert "openid" in wechat_login("local-alice")
    assert wechat_send("PUT", "/-/faults", '{"kind": "forbidden"}')[0] == 400


def test_calls_are_recorded_without_secrets(wechat_server, wechat_login, wechat_send, clock):
    wechat_login("local-alice")
    wechat_login("local-alice")
    wechat_server.faults.plan("missing_field", times=1)
    wechat_login("local-bob")
    wechat_send("GET", "/redirected")
    wechat_server.issue_code()
    calls = [(call.path, call.app_id, call.errcode) for call in wechat_server.calls]
    path = "/sns/jscode2session"
    assert calls == [
        (path, APP_ID, 0),
        (path, APP_ID, 40163),
        (path, APP_ID, None),
        ("/redirected", "", None),
    ]
    assert {call.time for call in wechat_server.calls} == {clock.instant}
    assert SECRET not in repr(wechat_server.calls)
    assert "local-" not in repr(wechat_server.calls)


def test_writes_nothing_on_stderr(wechat_login, wechat_send, capfd):
    wechat_login("local-alice", secret="guess")
    wechat_send("POST", "/-/codes", "x")
    assert capfd.readouterr() == ("", "")


def test_one_code_logs_in_one_of_many_at_once(wechat_server, wechat_login):
    code, answers = wechat_server.issue_code(), []
    threads = [threading.Thread(target=lambda: answers.append(wechat_login(code))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.get("errcode", 0) for answer in answers) == [0] + [40163] * 15
