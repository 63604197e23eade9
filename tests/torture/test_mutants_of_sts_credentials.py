"""What a wrong version of sts_credentials.py would get away with otherwise: reasons, bounds, half a pair."""

import logging
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.vendored.requests import ConnectionError as ConnectionFailed
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter

import sts_credentials
from errors import Misconfigured, StsRejected, StsUnavailable
from outgoing_http import ExchangeFailed
from sts_credentials import (
    MAX_ANSWER_BYTES,
    AccessKeys,
    StsClient,
    own_access_keys,
    parse_answer,
)

OWN = AccessKeys("own", "secret", "token")
HOUR = timedelta(hours=1)


@pytest.fixture
def client():
    """A client of STS whose SDK does what the test says."""

    def make(act, endpoint="https://sts.cn-beijing.aliyuncs.com"):
        requests, slept = [], []

        def do_action_with_exception(request):
            requests.append(request)
            return act()

        made = StsClient(
            endpoint=endpoint,
            region="cn-beijing",
            role_arn="acs:ram::1:role/x",
            session_policy="{}",
            session_life=HOUR,
            sleep=slept.append,
        )
        made._client = (OWN, SimpleNamespace(do_action_with_exception=do_action_with_exception))
        return made, requests, slept

    return make


def raises(error):
    def act():
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "attempts", "reason"),
    [
        (ClientException("SDK.InvalidRegionId", "secret"), 1, "the SDK says SDK.InvalidRegionId"),
        (
            ClientException("SDK.HttpError", "secret"),
            2,
            "no answer from STS (refused, reset, timed out or TLS)",
        ),
        (ExchangeFailed("too slow"), 2, "STS: too slow"),
        (IndexError("secret"), 1, "STS sent an error the SDK cannot read (IndexError)"),
        (ServerException("Odd", "m", 429, "id"), 2, "AssumeRole: HTTP 429 Odd, STS request id"),
        (ServerException("Odd", "m", 503, "id"), 2, "AssumeRole: HTTP 503 Odd, STS request id"),
        (ServerException("Odd", "m", 500, "id"), 1, "AssumeRole: HTTP 500 Odd, STS request id"),
        (ServerException("Odd", "m", None, "id"), 1, "AssumeRole: HTTP None Odd, STS request id"),
        (ServerException("a b\n" + "c" * 99, "m", 500, None), 1, f"a?b?{'c' * 76}, STS request None"),
    ],
)
def test_each_failure_has_its_tries_and_its_reason(client, clock, error, attempts, reason):
    made, requests, slept = client(raises(error))
    with pytest.raises(StsUnavailable) as raised:
        made.assume_role(OWN, clock(), attempts=2)
    assert raised.value.reason.endswith(reason)
    assert (len(requests), len(slept)) == (attempts, attempts - 1)


@pytest.mark.parametrize("status", [400, 403, 499])
def test_a_refusal_says_in_the_log_which(client, clock, status):
    made, requests, _ = client(raises(ServerException("NoPermission", "m", status, "id")))
    with pytest.raises(StsRejected) as raised:
        made.assume_role(OWN, clock(), attempts=2)
    assert raised.value.reason == f"AssumeRole: HTTP {status} NoPermission, STS request id"
    assert len(requests) == 1


def test_the_endpoint_of_the_settings_is_asked_and_no_other(client, clock):
    made, requests, _ = client(raises(IndexError), endpoint="https://sts-vpc.cn-beijing.aliyuncs.com")
    with pytest.raises(StsUnavailable):
        made.assume_role(OWN, clock(), attempts=1)
    assert requests[0].endpoint == "https://sts-vpc.cn-beijing.aliyuncs.com"


@pytest.mark.parametrize(("seconds", "kept"), [(3599, 3599), (3600, 3600), (3601, 3600)])
def test_an_end_is_only_ever_moved_nearer(client, clock, reply, seconds, kept):
    import json

    answer = json.dumps(reply(clock() + timedelta(seconds=seconds))).encode()
    made, _, _ = client(lambda: answer)
    assert made.assume_role(OWN, clock(), attempts=1).expires_at == clock() + timedelta(seconds=kept)


def test_the_sdk_gets_the_region_bounds_and_silence():
    made = sts_credentials._new_client(OWN, "cn-beijing")
    assert made.get_region_id() == "cn-beijing"
    for url in ("https://sts.cn-beijing.aliyuncs.com/", "http://127.0.0.1:1/"):
        assert type(made.session.get_adapter(url)).__name__ == "BoundedAdapter"
    assert logging.getLogger("aliyunsdkcore").level == logging.CRITICAL + 1


class Stream:
    """A response whose body comes in parts."""

    def __init__(self, parts):
        self.parts = parts
        self.is_closed = False

    def iter_content(self, _size):
        yield from self.parts

    def close(self):
        self.is_closed = True


@pytest.fixture
def read(monkeypatch):
    def send(parts, times=None):
        request, response, asked = SimpleNamespace(headers={}), Stream(parts), []
        monkeypatch.setattr(
            HTTPAdapter, "send", lambda _self, _request, **given: asked.append(given) or response
        )
        if times is not None:
            monkeypatch.setattr(time, "monotonic", iter(times).__next__)
        try:
            sts_credentials._bounded_adapter().send(request, stream=False, timeout=1)
        finally:
            monkeypatch.undo()
        assert asked == [{"stream": True, "timeout": 1}]
        assert request.headers == {"Connection": "close"}, "a connection of the hour before would be dead"
        return response

    return send


def test_an_answer_is_read_in_parts_and_put_together(read):
    assert read([b"{", b"}"])._content == b"{}"


def test_an_answer_of_64_kb_is_read(read):
    assert len(read([b"x" * (MAX_ANSWER_BYTES - 1), b"y"])._content) == 64 * 1024 == MAX_ANSWER_BYTES


def test_a_byte_more_is_given_up_and_the_connection_closed(read, monkeypatch):
    closed = []
    monkeypatch.setattr(Stream, "close", lambda _self: closed.append(True))
    with pytest.raises(ConnectionFailed):
        read([b"x" * MAX_ANSWER_BYTES, b"y", b"never read"])
    assert closed == [True]


def test_an_answer_that_takes_longer_than_an_attempt_is_given_up(read):
    assert read([b"x"], [0.0, 4.5])._content == b"x"
    with pytest.raises(ConnectionFailed):
        read([b"x"], [0.0, 4.6])


@pytest.mark.parametrize("body", [None, b"[" * 100_000, b"\xff", 5])
def test_what_cannot_be_parsed_is_no_answer(body):
    with pytest.raises(StsUnavailable, match="try again"):
        parse_answer(body)


ENVIRON = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
}


def test_half_a_pair_in_the_context_gives_way_to_the_whole_one_of_the_environment():
    for half in ({"access_key_id": "c"}, {"access_key_secret": "c"}):
        context = SimpleNamespace(credentials=SimpleNamespace(**half))
        assert own_access_keys(ENVIRON, context) == AccessKeys("id", "secret", "token")


@pytest.mark.parametrize("missing", ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
def test_half_a_pair_is_none(missing):
    with pytest.raises(Misconfigured):
        own_access_keys({name: value for name, value in ENVIRON.items() if name != missing}, None)
