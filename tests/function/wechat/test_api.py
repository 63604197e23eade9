"""wechat.api: one bounded call and its response."""

import json

import pytest

from function.errors import WechatUnavailable
from function.http.client import HttpResponse
from function.wechat import WechatApp
from function.wechat.api import post, trace_id_of, unavailable, whole_number

APP = WechatApp("wx0123456789abcdef", "secret", "https://api.weixin.qq.com")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (-1008, -1008),
        (4294966288, 4294966288),
        (9_999_999_999, 9_999_999_999),
        (10_000_000_000, None),
        ("100", 100),
        ("-1", -1),
        ("", None),
        ("1.0", None),
        ("1 ", None),
        ("٣", None),
        (True, None),
        (1.0, None),
        (None, None),
        ([], None),
    ],
)
def test_a_number_of_wechat_s_may_be_a_text_and_nothing_else(value, number):
    assert whole_number(value) == number


def test_what_is_nested_deeper_than_python_can_write_is_none_either():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert whole_number(nested) is None


@pytest.mark.parametrize("good", ["60f96f1d-3845297a-1976a3ae", "a", "A_9-", "t" * 128])
def test_a_trace_id_may_stand_in_a_name(good):
    assert trace_id_of({"trace_id": good}) == good


@pytest.mark.parametrize("bad", ["", "t" * 129, "a/b", "a.b", "a\n", "é", None, 5, ["a"]])
def test_anything_else_is_none(bad):
    assert trace_id_of({"trace_id": bad}) is None


@pytest.mark.parametrize(
    ("told", "errcode"), [({}, 0), ({"errcode": None}, 0), ({"errcode": "61010"}, 61010)]
)
def test_the_answer_comes_with_its_errcode(told, errcode):
    asked = []

    def send(*args, **options):
        asked.append((args, options))
        return HttpResponse(200, json.dumps(told).encode())

    answer = post(APP, "/wxa/x", {"a": "é"}, send=send, budget_seconds=1.5, query={"q": "1"})
    assert answer == (errcode, told)
    assert asked == [
        (
            ("POST", "https://api.weixin.qq.com/wxa/x"),
            {
                "query": {"q": "1"},
                "body": b'{"a": "\\u00e9"}',
                "headers": {"Content-Type": "application/json"},
                "budget_seconds": 1.5,
            },
        )
    ]


def test_499_is_still_an_answer_and_500_is_none():
    assert post(APP, "/x", {}, send=lambda *_, **__: HttpResponse(499, b"{}"), budget_seconds=1) == (0, {})
    with pytest.raises(WechatUnavailable, match="please try again"):
        post(APP, "/x", {}, send=lambda *_, **__: HttpResponse(500, b"{}"), budget_seconds=1)


def test_what_is_not_there_now_says_when_to_ask_again_and_how_wechat_called_it():
    busy = unavailable("/wxa/x", "errcode -1", errcode=-1, wait=60)
    assert (busy.reason, busy.retry_after, busy.upstream) == ("x: errcode -1", 60, "-1")
    silent = unavailable("/wxa/x", "TimeoutError")
    assert (silent.reason, silent.retry_after, silent.upstream) == ("x: TimeoutError", 2, "")
