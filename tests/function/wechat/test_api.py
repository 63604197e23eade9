"""wechat.api: one bounded call and its response."""

import json

import pytest

from function.errors import WechatUnavailable
from function.http.client import HttpResponse
from function.wechat import WechatApp
from function.wechat.api import post, trace_id_of, unavailable, whole_number

APP = WechatApp("wx0123456789abcdef", "secret", "https://api.weixin.qq.com")


@pytest.mark.parametrize("value", [0, -1008, 4294966288, 9_999_999_999, "100", "-1"])
def test_a_number_may_be_text(value):
    assert whole_number(value) == int(value)


@pytest.mark.parametrize("value", [10_000_000_000, "", "1.0", "1 ", "٣", True, 1.0, None, []])
def test_other_values_are_not_whole_numbers(value):
    assert whole_number(value) is None


def test_a_list_of_any_depth_is_no_whole_number():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert whole_number(nested) is None


@pytest.mark.parametrize("good", ["60f96f1d-3845297a-1976a3ae", "a", "A_9-", "t" * 128])
def test_a_trace_id_may_end_a_record_name(good):
    assert trace_id_of({"trace_id": good}) == good
    for bad in ("", "t" * 129, "a/b", "a.b", "a\n", "é", None, 5, ["a"]):
        assert trace_id_of({"trace_id": bad}) is None


@pytest.mark.parametrize(
    ("said", "errcode"),
    [
        *(({}, 0), ({"errcode": None}, 0), ({"errcode": "61010"}, 61010)),
        *(({"errcode": 2**31 - 1}, 2**31 - 1), ({"errcode": 2**31}, -(2**31)), ({"errcode": 2**32 - 1}, -1)),
    ],
)
def test_the_response_comes_with_its_errcode(said, errcode):
    sent = []

    def send(*args, **options):
        sent.append((args, options))
        return HttpResponse(200, json.dumps(said).encode())

    answer = post(APP, "/wxa/x", {"a": "é"}, send=send, budget_seconds=1.5, query={"q": "1"})
    assert answer == (errcode, said)
    headers, body = {"Content-Type": "application/json"}, b'{"a": "\\u00e9"}'
    options = {"query": {"q": "1"}, "body": body, "headers": headers, "budget_seconds": 1.5}
    assert sent == [(("POST", "https://api.weixin.qq.com/wxa/x"), options)]


def test_only_a_status_from_500_on_is_a_failure():
    assert post(APP, "/x", {}, send=lambda *_, **__: HttpResponse(499, b"{}"), budget_seconds=1) == (0, {})
    with pytest.raises(WechatUnavailable, match="please try again"):
        post(APP, "/x", {}, send=lambda *_, **__: HttpResponse(500, b"{}"), budget_seconds=1)


def test_unavailability_has_a_retry_time_and_wechat_s_code():
    busy = unavailable("/wxa/x", "errcode -1", errcode=-1, wait=60)
    assert (busy.reason, busy.retry_after, busy.upstream) == ("x: errcode -1", 60, "-1")
    silent = unavailable("/wxa/x", "TimeoutError")
    assert (silent.reason, silent.retry_after, silent.upstream) == ("x: TimeoutError", 2, "")
