"""The bad days of the local STS, planned from Python and over HTTP."""

import http.client
import json
import time

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("kind", "status", "code")
def test_a_planned_fault_refuses_one_call(sts_call, sts_server, kind, status, code):
    sts_server.faults.plan(kind, times=1)
    answer = sts_call()
    assert (answer[0], answer[1]["Code"]) == (status, code)
    assert set(answer[1]) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert kind != "no_colon" or ":" not in answer[1]["Message"]
    assert sts_call.code() == (200, "")
    assert len(sts_server.calls) == 2


@cases("kind", "status", "body")
def test_a_planned_fault_gives_one_invalid_response(sts_call, sts_server, kind, status, body):
    sts_server.faults.plan(kind, times=1)
    answer = sts_call.send("POST", "/")
    assert answer[0] == status
    assert answer[1].startswith(body)
    assert kind != "empty" or answer[1] == b""
    assert kind != "huge" or len(answer[1]) > 2**20
    assert sts_call.code() == (200, "")


def test_malformed_is_no_json_and_the_502_is_no_utf8(sts_call, sts_server):
    sts_server.faults.plan("malformed", times=1)
    with pytest.raises(ValueError, match="Unterminated string"):
        json.loads(sts_call.send("POST", "/")[1])
    sts_server.faults.plan("not_utf8", times=1)
    with pytest.raises(UnicodeDecodeError):
        sts_call.send("POST", "/")[1].decode()


@cases("kind", "expiration")
def test_a_planned_expiry_holds_at_oss_too(sts_call, sts_server, sts_accounts, kind, expiration):
    sts_server.faults.plan(kind, times=1)
    given = sts_call()[1]["Credentials"]
    assert given["Expiration"] == expiration
    assert f"{sts_accounts.find(given['AccessKeyId']).expires_at:%Y-%m-%dT%H:%M:%SZ}" == expiration


def test_a_planned_fault_omits_the_token(sts_call, sts_server):
    sts_server.faults.plan("missing_field", times=1)
    status, answer = sts_call()
    assert status == 200
    assert set(answer["Credentials"]) == {"AccessKeyId", "AccessKeySecret", "Expiration"}


@pytest.mark.parametrize("kind", ["missing_field", "short_life", "expired", "far_future", "slow"])
def test_a_bad_request_stays_bad_on_a_bad_day(sts_call, sts_server, kind):
    sts_server.faults.plan(kind, times=1)
    assert sts_call.code(secret="wrong") == (400, "SignatureDoesNotMatch")


def test_a_planned_fault_drops_the_connection(sts_call, sts_server):
    sts_server.faults.plan("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        sts_call()
    assert len(sts_server.calls) == 1
    assert sts_call.code() == (200, "")


def test_redirects_to_where_a_follower_would_be_seen(sts_call, sts_server):
    sts_server.faults.plan("redirect", times=1)
    connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
    connection.request("POST", "/")
    answer = connection.getresponse()
    connection.close()
    port = sts_server.origin.rpartition(":")[2]
    assert (answer.status, answer.headers["Location"]) == (302, f"http://localhost:{port}/redirected")


def test_a_planned_fault_delays_one_response(sts_call, sts_server):
    sts_server.faults.plan("slow", times=1, seconds=0.1)
    before = time.monotonic()
    assert sts_call.code() == (200, "")
    assert time.monotonic() - before >= 0.1


def test_a_slow_answer_does_not_hold_up_the_end(sts_call, sts_server):
    sts_server.faults.plan("slow", times=1, seconds=600)
    connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
    connection.request("POST", "/")
    while not sts_server.calls:
        time.sleep(0.001)
    sts_server.stop()
    assert connection.getresponse().status == 400
    connection.close()


def test_the_switchboard_plans_lists_and_forgets(sts_call, sts_server):
    status, body = sts_call.send("PUT", "/-/faults", '{"kind": "throttled", "times": 1}')
    assert status == 200
    assert json.loads(body) == {"kinds": sorted(sts_server.faults.known)}
    assert sts_call.code() == (400, "Throttling.User")
    assert sts_call.code() == (200, "")
    sts_call.send("PUT", "/-/faults", '{"kind": "throttled"}')
    assert [sts_call.code()[0] for _ in range(3)] == [400] * 3
    assert sts_call.send("DELETE", "/-/faults")[0] == 200
    assert sts_call.code() == (200, "")
    assert json.loads(sts_call.send("GET", "/-/faults")[1])["kinds"]


@cases("body")
def test_the_faults_api_refuses_an_unknown_fault(sts_call, body):
    for sent, expected in ((body, 400), ('{"kind": "' + "a" * 4096 + '"}', 413)):
        status, answer = sts_call.send("PUT", "/-/faults", sent)[:2]
        assert status == expected
        assert json.loads(answer)["error"]
    assert sts_call.code() == (200, "")
