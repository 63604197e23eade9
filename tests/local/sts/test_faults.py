"""The bad days of the local STS, planned from Python and over HTTP; other services share their playing."""

import http.client
import json
import re
import time

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("kind", "refusal")
def test_a_planned_fault_refuses_one_call(sts_call, sts_server, kind, refusal):
    sts_server.faults.plan(kind, times=1)
    status, body = sts_call()
    assert f"{status} {body['Code']}" == refusal
    assert set(body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert kind != "no_colon" or ":" not in body["Message"]
    assert sts_call.said() == "200"
    assert len(sts_server.calls) == 2


@cases("kind", "status", "pattern")
def test_a_planned_fault_is_sent_as_it_is(sts_call, sts_server, kind, status, pattern):
    sts_server.faults.plan(kind, times=1)
    answered, body = sts_call.send("POST", "/")
    assert answered == status and re.fullmatch(pattern, body.decode("latin-1"))
    assert sts_call.said() == "200"


@cases("kind", "expiration")
def test_a_planned_expiry_holds_at_oss_too(sts_call, sts_server, sts_accounts, kind, expiration):
    sts_server.faults.plan(kind, times=1)
    given = sts_call()[1]["Credentials"]
    assert given["Expiration"] == expiration
    assert f"{sts_accounts.find(given['AccessKeyId']).expires_at:%Y-%m-%dT%H:%M:%SZ}" == expiration


def test_a_planned_fault_omits_the_token(sts_call, sts_server):
    sts_server.faults.plan("missing_field", times=1)
    assert set(sts_call()[1]["Credentials"]) == {"AccessKeyId", "AccessKeySecret", "Expiration"}


@pytest.mark.parametrize("kind", ["missing_field", "short_life", "expired", "far_future", "slow"])
def test_a_bad_request_stays_bad_on_a_bad_day(sts_call, sts_server, kind):
    sts_server.faults.plan(kind, times=1)
    assert sts_call.said(secret="wrong") == "400 SignatureDoesNotMatch"


def test_a_planned_fault_drops_the_connection(sts_call, sts_server):
    sts_server.faults.plan("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        sts_call()
    assert len(sts_server.calls) == 1
    assert sts_call.said() == "200"


@pytest.fixture
def pending(sts_server):
    """A request whose answer has not been read."""
    connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
    connection.request("POST", "/")
    yield connection
    connection.close()


def test_redirects_to_where_a_follower_would_be_seen(sts_server, request):
    sts_server.faults.plan("redirect", times=1)
    answer = request.getfixturevalue("pending").getresponse()
    port = sts_server.origin.rpartition(":")[2]
    assert (answer.status, answer.headers["Location"]) == (302, f"http://localhost:{port}/redirected")


def test_a_slow_answer_comes_late_and_does_not_hold_up_the_end(sts_call, sts_server, request):
    sts_server.faults.plan("slow", times=1, seconds=0.1)
    before = time.monotonic()
    assert sts_call.said() == "200"
    assert time.monotonic() - before >= 0.1
    sts_server.faults.plan("slow", times=1, seconds=600)
    pending = request.getfixturevalue("pending")
    while len(sts_server.calls) < 2:
        time.sleep(0.001)
    sts_server.stop()
    assert pending.getresponse().status == 400


def test_the_switchboard_plans_lists_and_forgets(sts_call, sts_server):
    status, body = sts_call.send("PUT", "/-/faults", '{"kind": "throttled", "times": 1}')
    assert (status, json.loads(body)) == (200, {"kinds": sorted(sts_server.faults.known)})
    assert [sts_call.said() for _ in range(2)] == ["400 Throttling.User", "200"]
    sts_call.send("PUT", "/-/faults", '{"kind": "throttled"}')
    assert [sts_call.said()[:3] for _ in range(3)] == ["400"] * 3
    assert sts_call.send("DELETE", "/-/faults")[0] == 200
    assert sts_call.said() == "200"
    assert json.loads(sts_call.send("GET", "/-/faults")[1])["kinds"]


@cases("body")
def test_the_switchboard_refuses_an_unknown_fault(sts_call, body):
    for sent, expected in ((body, 400), ('{"kind": "' + "a" * 4096 + '"}', 413)):
        status, answer = sts_call.send("PUT", "/-/faults", sent)
        assert status == expected and json.loads(answer)["error"]
    assert sts_call.said() == "200"
