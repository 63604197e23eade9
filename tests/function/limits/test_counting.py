"""Counting of requests against quotas, in whole requests."""

import sys
from datetime import timedelta

import pytest

from function.errors import Misconfigured
from function.http.client import HttpResponse
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address
from function.request_log import LogLine
from tests.function.limits.requests_to_stores import COUNTED, NOON, PATIENCE, TODAY, numbers
from tests.support.redis_server import Line

CHINA = timedelta(hours=8)
DIGEST = "5f2b" * 16
BYTES = {"profile": "bytes", "sha256": DIGEST, "size": 10}
VIDEO = {"path": "/multipart", "filename": "a.mp4", "profile": "video"}
MIB = 1024**2
DOWN = {"QUOTA_URL": "redis://:RedisPasswordSecretCanary0001@127.0.0.1:9"}
WECHAT = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}


def quota(files, bytes_):
    return {"filesLeft": files, "bytesLeft": bytes_, "resetsAt": "2026-11-24T16:00:00Z"}


@pytest.fixture
def refusing_sts(sts):
    sts.add("POST", "https://sts.cn-hangzhou.aliyuncs.com/", status=403, json={"Code": "NoPermission"})


def test_a_form_without_a_size_counts_its_maximum(quoted, ask, good_sts):
    function = quoted()
    assert ask(function).json["quota"] == quota(2, 1000)
    assert function.ask(method="GET", query={"filename": "a.png"}).json["quota"] == quota(1, 0)


def test_a_full_day_refuses_until_it_ends(quoted, ask, good_sts, clock, log_lines):
    function = quoted()
    ask(function)
    ask(function, size=999)
    answer = ask(function, size=2)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "quota_exceeded", "7200")
    assert answer.json["error"]["quota"] == quota(1, 1)
    assert log_lines()[-1]["code"] == "quota_exceeded"
    assert ask(function, size=1).json["quota"] == quota(0, 0)
    clock.tick(hours=2)
    assert ask(function, size=1).json["quota"]["filesLeft"] == 2


def test_the_day_begins_at_quota_utc_offset(quoted, ask, good_sts):
    function = quoted(QUOTA_UTC_OFFSET="5.5")
    assert ask(function).json["quota"]["resetsAt"] == "2026-11-24T18:30:00Z"


def test_requests_refused_for_other_reasons_are_not_counted(quoted, ask, good_sts):
    function = quoted(CALLER_RATE="2/min")
    for fields in ({"size": 1001}, {"filename": "a.exe"}, {"profile": "nobody"}, {"size": -1}):
        for _ in range(3):
            assert ask(function, **fields).status in (400, 413, 415)
    assert ask(function, size=1).json["quota"] == quota(2, 1999)
    assert ask(function, size=1).json["quota"] == quota(1, 1998)
    assert ask(function, size=1).code == "too_many_requests"


def test_several_files_are_counted_all_or_none(quoted, ask, good_sts):
    function = quoted()
    files = [{"filename": "a.png", "size": 10}, {"filename": "b.png", "profile": "few"}]
    files += [{"filename": "c.png", "profile": "free"}, {"filename": "d.png", "size": 20}]
    left = [upload.get("quota") for upload in ask(function, files=files).json["uploads"]]
    assert left == [quota(1, 1970), quota(0, None), None, quota(1, 1970)]
    assert ask(function, files=files).code == "quota_exceeded"
    more_than_any_day = ask(function, files=[{"filename": "a.png", "size": 1}] * 4)
    assert (more_than_any_day.status, more_than_any_day.code) == (400, "bad_request")
    assert ask(function, size=10).json["quota"] == quota(0, 1960)


def test_the_quota_is_given_back_when_sts_refuses(quoted, ask, refusing_sts):
    function = quoted(CALLER_RATE="3/min")
    assert [ask(function, size=10).code for _ in range(2)] == ["sts_rejected"] * 2
    (used,) = function.function.ready().limiter.store._used.values()
    assert used[1:] == (0, 0)
    # The rate is a brake on asking, so it stays counted.
    assert [ask(function, size=10).code for _ in range(2)] == ["sts_rejected", "too_many_requests"]


def test_existing_bytes_cost_no_quota_and_are_reported_on_a_full_day(quoted, ask, good_sts, oss):
    function = quoted(CALLER_RATE="8/min")
    assert ask(function, **BYTES).json["quota"] == quota(1, None)
    oss.has(f"bytes/public/{DIGEST}.png", content_length="10")
    for _ in range(2):
        response = ask(function, **BYTES).json
        assert response["exists"] is True
        assert "quota" not in response
    files = [{"filename": "a.png", **BYTES}, {"filename": "a.png", **BYTES, "sha256": "ab12" * 16}]
    exists, form = ask(function, files=files).json["uploads"]
    assert exists["exists"] is True
    assert form["quota"] == quota(0, None)
    assert ask(function, **{**BYTES, "sha256": "ab14" * 16}).code == "quota_exceeded"
    assert ask(function, **BYTES).json["exists"] is True


def test_a_check_for_existing_bytes_counts_against_the_rate(quoted, ask, good_sts, oss):
    function = quoted(CALLER_RATE="2/min")
    oss.has(f"bytes/public/{DIGEST}.png", content_length="10")
    assert [ask(function, **BYTES).status for _ in range(3)] == [200, 200, 429]
    assert [sent.method for sent in oss.asked] == ["HEAD"] * 2


def test_a_multipart_upload_counts_one_file_and_its_size(quoted, ask, good_sts):
    function = quoted()
    assert ask(function, **VIDEO, size=5 * MIB).json["quota"] == quota(1, 3 * MIB)
    assert ask(function, **VIDEO, size=4 * MIB).json["error"]["quota"] == quota(1, 3 * MIB)
    form = {**VIDEO, "path": "/upload-params"}
    assert ask(function, **form, size=MIB).json["quota"] == quota(0, 2 * MIB)


@pytest.mark.parametrize("status", [403, 503])
def test_the_quota_is_given_back_when_oss_begins_no_multipart_upload(quoted, ask, good_sts, oss, status):
    function = quoted()
    begins, oss.says = oss.says, HttpResponse(status, b"")
    assert {ask(function, **VIDEO, size=8 * MIB).status for _ in range(3)} <= {502, 503}
    oss.says = begins
    assert ask(function, **VIDEO, size=8 * MIB).json["quota"] == quota(1, 0)


@pytest.mark.parametrize(
    ("changes", "logged"),
    [({}, None), ({**DOWN, "QUOTA_WHEN_DOWN": "deny"}, "counted here: ConnectionRefusedError")],
)
def test_logins_are_counted_in_the_store_or_here_while_redis_is_down(quoted, log_lines, changes, logged):
    function = quoted(**WECHAT, **changes, LOGIN_RATE="2/min")
    statuses = [function.ask(body={"code": f"c{number}"}, path="/login").status for number in range(3)]
    assert statuses == [502, 502, 429]
    assert bool(function.function.ready().limiter._windows) is bool(logged)
    assert log_lines()[-1].get("quota") == logged


def test_with_deny_and_redis_down_a_profile_with_a_quota_gives_no_form(quoted, ask, good_sts, log_lines):
    function = quoted(**DOWN, QUOTA_WHEN_DOWN="deny", CALLER_RATE="2/min")
    answer = ask(function)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "quota_unavailable", "2")
    logged = {"quota": "denied: ConnectionRefusedError", "reason": "quota store: ConnectionRefusedError"}
    assert log_lines()[-1].items() >= {**logged, "profile": "default"}.items()
    assert ask(function, **VIDEO, size=MIB).code == "quota_unavailable"
    # Forms without a quota are given within the instance's own rate, which the refusal did not count against.
    assert [ask(function, profile="free").status for _ in range(3)] == [200, 200, 429]
    assert [line.get("quota") for line in log_lines()[2:]] == ["counted here: ConnectionRefusedError"] * 3


def test_with_allow_and_redis_down_forms_are_given_uncounted(quoted, ask, good_sts, log_lines):
    function = quoted(**DOWN, QUOTA_WHEN_DOWN="allow", CALLER_RATE="4/min")
    for fields in ({}, {}, {}, {**VIDEO, "size": MIB}):
        answer = ask(function, **fields)
        assert answer.status == 200
        assert "quota" not in answer.json
    assert ask(function).code == "too_many_requests"
    assert {line["quota"] for line in log_lines()} == {"allowed: ConnectionRefusedError"}


@pytest.fixture
def patient(quoted):
    """Build an instance that waits for Redis as long as a busy machine needs."""

    def build(url, **changes):
        function = quoted(**{"QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny", **changes})
        ready = function.function.ready()
        ready.limiter._new_store = lambda: RedisStore(Address(url), CHINA, ready.settings.bucket, PATIENCE)
        return function

    return build


@pytest.mark.parametrize("when_down", ["deny", "allow"])
def test_an_unknown_verdict_of_redis_counts_as_redis_down(
    patient, ask, good_sts, canned, log_lines, when_down
):
    answer = ask(patient(canned(numbers(3, 0, 0, NOON, TODAY, 1, 10)).url, QUOTA_WHEN_DOWN=when_down))
    code = "quota_unavailable" if when_down == "deny" else ""
    assert (answer.code, answer.json.get("quota")) == (code, None)
    verb = "denied" if when_down == "deny" else "allowed"
    assert log_lines()[-1]["quota"] == f"{verb}: unexpected reply"


def test_a_failure_to_give_back_is_logged(patient, ask, refusing_sts, canned, log_lines):
    # The server counts once, and then closes every connection.
    function = patient(canned(COUNTED, None, None).url)
    assert ask(function, profile="few").code == "sts_rejected"
    assert log_lines()[-1]["quota"] == "not given back: ConnectionError"


def test_an_uncounted_form_is_not_given_back(quoted, ask, refusing_sts, log_lines):
    assert ask(quoted(**DOWN, QUOTA_WHEN_DOWN="allow")).code == "sts_rejected"
    assert log_lines()[-1]["quota"] == "allowed: ConnectionRefusedError"


def test_redis_is_not_called_with_nothing_to_count(patient, canned, clock):
    server = canned()
    limiter = patient(server.url).function.ready().limiter
    with limiter.reserve("ann", (), clock(), LogLine("r")).take([]) as quotas:
        assert quotas == {}
    assert server.received == []


def test_instances_share_one_day_in_redis(patient, ask, good_sts, own_server):
    url = own_server().url
    one, other = (patient(url, CALLER_RATE="4/min") for _ in range(2))
    assert ask(one, size=10).json["quota"]["filesLeft"] == 2
    assert ask(other, size=10).json["quota"]["bytesLeft"] == 1980
    assert ask(one, size=10).json["quota"]["filesLeft"] == 0
    refused = ask(other, size=10)
    assert (refused.status, refused.code) == (429, "quota_exceeded")
    assert refused.json["error"]["quota"]["filesLeft"] == 0
    assert 0 < int(refused.headers["Retry-After"]) <= 86400
    # A refusal costs nothing, so the fourth form of the minute is still there.
    assert ask(one, profile="free").status == 200
    assert ask(other, profile="free").code == "too_many_requests"


def test_initialize_connects_to_redis(patient, ask, good_sts, own_server):
    with Line(own_server().port) as line:
        function = patient(line.url)
        function.function.initialize(None)
        assert len(function.function.ready().limiter.store._idle) == 1
        assert ask(function).status == 200
        assert line.connections == 1


@pytest.mark.parametrize(
    ("changes", "logged"),
    [
        ({}, "initialize: ready"),
        ({**DOWN, "QUOTA_WHEN_DOWN": "allow"}, "initialize: quota store: ConnectionRefusedError"),
    ],
)
def test_initialize_needs_no_connection(quoted, ask, good_sts, caplog, changes, logged):
    caplog.set_level("INFO", logger="oss_direct_upload")
    function = quoted(**changes)
    function.function.initialize(None)
    assert logged in caplog.text
    assert ask(function).status == 200


def test_a_package_without_the_redis_library_is_misconfigured(quoted, ask, good_sts, log_lines, monkeypatch):
    # Absent, for the import system.
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.connection", None)
    function = quoted(**DOWN, QUOTA_WHEN_DOWN="allow")
    assert ask(function).code == "misconfigured"
    assert log_lines()[-1]["reason"].startswith("QUOTA_URL ")
    with pytest.raises(Misconfigured) as raised:
        _ = function.function.ready().limiter.store
    assert [problem.setting for problem in raised.value.problems] == ["QUOTA_URL"]
